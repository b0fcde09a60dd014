# SPDX-License-Identifier: MIT
# The module. Kbuild, at the root, lists its files. `make module` builds it for a kernel of the test cells, or for KDIR.
# Each kernel has a build folder of its own, with copies of the sources, so that two can be built at once.
KDIR ?=

.PHONY: module
module:
ifeq ($(KDIR),)
	@tests/vm/module $(KVER)
else
	@mkdir -p build/kmod-kdir/uapi
	@cp -p Kbuild build/kmod-kdir/ && cp -pr kmod build/kmod-kdir/ && cp -p uapi/*.h build/kmod-kdir/uapi/
	$(MAKE) -C $(KDIR) M=$(abspath build/kmod-kdir) modules
endif

.PHONY: check-module-static
check-module-static:
	@tests/static/module
