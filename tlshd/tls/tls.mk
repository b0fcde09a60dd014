# SPDX-License-Identifier: MIT
TLS_SRC :=
