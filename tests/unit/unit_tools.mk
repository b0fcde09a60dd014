# SPDX-License-Identifier: MIT
HOST_TESTS += tests/tools/serve_plain
