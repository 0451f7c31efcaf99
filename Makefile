# SPDX-License-Identifier: GPL-2.0
# The people's entry: `make help` lists what there is. Objects of the kernel module are listed in Kbuild, never here; everything that is
# built lands below build/, one folder per kernel, so that builds for several kernels and for userspace live side by side.

SHELL	 := /bin/bash
.SHELLFLAGS := -eo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:

B	 := build
FLAVOURS := 6.1 6.12
JOBS	 ?= $(shell nproc)
Q	 := $(if $(V),,@)
KERNELS	 := ktests/vm/kernels
SECONDS	 ?= 60
DEPS	 := tools/deps.sh

.PHONY: all
all: modules tools ## the module for both Debian kernels, and the tools

.PHONY: help
help: ## this list
	@echo 'make TARGET [V=1]'; echo
	@sed -n 's/^\([a-z_-]*\):.* ## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# ---------------------------------------------------------------------------------------------------------------- kernel module

.PHONY: modules
modules: $(if $(KDIR),kdir-module,$(FLAVOURS:%=module-%)) ## build/FLAVOUR/atcp.ko for 6.1 and 6.12, or for KDIR=… only

# Kbuild writes objects beside their sources; a mirror of symlinks gives every kernel its own place. $(1) folder, $(2) KDIR, $(3) more
define build_module
	$(Q)mkdir -p $(1)/ktests
	$(Q)find $(1) -xtype l -delete
	$(Q)cp -rsf $(CURDIR)/Kbuild $(CURDIR)/module $(CURDIR)/uapi $(1)/
	$(Q)if test -d ktests/kunit; then cp -rsf $(CURDIR)/ktests/kunit $(1)/ktests/; fi
	$(Q)$(MAKE) -s -j$(JOBS) -C $(2) M=$(abspath $(1)) $(3) $(if $(V),V=1) modules 2>&1 \
		| { grep -v -e 'Skipping BTF generation' -e '^make\[.*Entering' -e '^make\[.*Leaving' || true; }
endef

.PHONY: $(FLAVOURS:%=module-%) module-debug kdir-module
$(FLAVOURS:%=module-%): module-%:
	$(Q)$(DEPS) build
	$(call build_module,$(B)/$*,$$($(KERNELS) kdir $*))

module-debug: ## the module with its KUnit suites for the debug kernel
	$(Q)$(DEPS) build debug-kernel
	$(call build_module,$(B)/debug,$$($(KERNELS) kdir debug),ATCP_KUNIT=y CC=gcc-12)

kdir-module:
	$(call build_module,$(B)/$(notdir $(realpath $(KDIR))),$(KDIR))

.PHONY: modules_install
modules_install: ## install the module for the running kernel (or KDIR=…)
	$(Q)$(MAKE) modules KDIR=$(or $(KDIR),/lib/modules/$(shell uname -r)/build)
	$(Q)$(MAKE) -C $(or $(KDIR),/lib/modules/$(shell uname -r)/build) \
		M=$(abspath $(B)/$(notdir $(realpath $(or $(KDIR),/lib/modules/$(shell uname -r)/build)))) modules_install
	$(Q)depmod -a
