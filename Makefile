# SPDX-License-Identifier: MIT
# `make help` says what there is. Everything generated goes below build/ (O=
# takes another place) and, what is expensive and shared by checkouts, to
# PPIM_CACHE.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

top := $(CURDIR)
O ?= $(top)/build
override O := $(abspath $(O))
JOBS ?= $(shell nproc)
export PPIM_BUILD := $(O)
export PPIM_JOBS := $(JOBS)

build_scripts := tools/build
# V=1 shows every command.
sub = $(MAKE) $(if $(V),,-s) -j$(JOBS) O=$(O)

# --- options ---------------------------------------------------------------

unconfigured := help clean deps menuconfig defconfig
ifneq ($(filter-out $(unconfigured),$(MAKECMDGOALS)),)
include $(O)/config.mk
endif

# Each time, since a .config that is gone is a change as well; the file is
# touched only when it differs.
.PHONY: FORCE
$(O)/config.mk: FORCE
	@$(build_scripts)/deps.sh config
	@$(build_scripts)/config.sh $(O)

QEMU_SRC ?= $(CONFIG_QEMU_SRC)
export QEMU_SRC
export QEMU_SERIES = $(CONFIG_QEMU_SERIES)

.PHONY: menuconfig defconfig
menuconfig:
	@$(build_scripts)/deps.sh config
	@KCONFIG_CONFIG=.config kconfig-mconf Kconfig
defconfig:
	@$(build_scripts)/deps.sh config
	@KCONFIG_CONFIG=.config kconfig-conf --alldefconfig Kconfig

# --- the main targets ------------------------------------------------------

.PHONY: help demo check build tools install uninstall bench clean deps

help:
	@echo 'ppim: a ProactivePIM memory as running software'
	@echo
	@echo '  make demo        installs what is missing, builds all, boots, runs the main job'
	@echo '  make check       the same set-up, then all tests'
	@echo '  make build       everything: QEMU with the device, module, runtime, tools, guest'
	@echo '  make tools       the host tools alone, in build/bin (no QEMU, no guest)'
	@echo '  make install     libppim and the host tools to PREFIX=/usr/local (DESTDIR=); make uninstall'
	@echo '  make bench       speeds: the DRAM and PIM models alone, and the whole stack'
	@echo '  make check-GROUP one group of tests: $(groups)'
	@echo '  make menuconfig  the build options; make defconfig: back to their defaults'
	@echo '  make deps        installs the Debian packages that all of this needs'
	@echo '  make clean       removes build/ (the cache outside the tree stays)'
	@echo
	@echo 'Then, for any command in the guest: tools/ppim-vm -- COMMAND (--help).'
	@echo 'PPIM_CACHE=$${PPIM_CACHE:-~/.cache/ppim} keeps downloads and QEMU'"'"'s objects.'

demo: build
	@tools/ppim-vm -- ppim-bench

build: qemu guest

deps:
	@$(build_scripts)/deps.sh check

clean:
	rm -rf $(O)

# --- host programs ---------------------------------------------------------

# In this order: each is linked from those before it.
components := qemu-device/engine runtime/plan tools/workload runtime tools

tools:
	@$(build_scripts)/deps.sh tools
	@set -e; for c in $(components); do $(sub) -C $$c; done
	@ln -sfn $(top)/tools/ppim-vm $(O)/bin/ppim-vm

install uninstall: tools
	@set -e; for c in runtime tools; do $(sub) -C $$c $@; done

# --- QEMU ------------------------------------------------------------------

.PHONY: deps-build qemu module guest
deps-build:
	@$(build_scripts)/deps.sh build

device_sources := $(shell find qemu-device/hw qemu-device/engine qemu-device/qtest \
	qemu-device/overlay kernel/include -type f)

qemu: $(O)/qemu/qemu-system-x86_64
$(O)/qemu/qemu-system-x86_64: $(device_sources) $(O)/config.mk \
		$(build_scripts)/qemu.sh $(build_scripts)/lib.sh | deps-build
	@$(build_scripts)/qemu.sh $(O)/qemu release

# The same with sanitizers: build/qemu-asan, build/qemu-tsan.
qemu-asan qemu-tsan: qemu-%: $(O)/qemu-%/qemu-system-x86_64
.PHONY: qemu-asan qemu-tsan
$(O)/qemu-%/qemu-system-x86_64: $(device_sources) $(O)/config.mk \
		$(build_scripts)/qemu.sh $(build_scripts)/lib.sh | deps-build
	@$(build_scripts)/qemu.sh $(O)/qemu-$* $*

# --- Linux: packages, module, guest ----------------------------------------

guest_kernel = $(CONFIG_GUEST_KERNEL)

$(O)/linux/%/vmlinux: | deps-build
	@$(build_scripts)/kernel.sh $(O)/linux $* image
$(O)/linux/%/build/Makefile: | deps-build
	@$(build_scripts)/kernel.sh $(O)/linux $* headers
$(O)/linux/%/source/tools/testing/selftests/lib.mk: | deps-build
	@$(build_scripts)/kernel.sh $(O)/linux $* source

module: $(O)/linux/$(guest_kernel)/vmlinux
	@$(sub) -C kernel KVERS=$(guest_kernel) PPIM_DEBUG=$(CONFIG_MODULE_DEBUG)

guest_programs := ppimctl ppim-bench ppim-sim
guest: tools module
	@$(build_scripts)/guest.sh $(O) $(guest_kernel) $(guest_programs:%=$(O)/bin/%)

# --- tests and benchmarks --------------------------------------------------

groups := lint docs unit unit-san cli module qtest device kselftest guest
harness = $(O)/linux/$(guest_kernel)/source/tools/testing/selftests/lib.mk
option_of = CONFIG_TEST_$(shell echo $(1) | tr a-z- A-Z_)
chosen = $(foreach g,$(groups),$(if $($(call option_of,$(g))),$(g)))

.PHONY: $(groups:%=check-%) $(groups:%=prepare-%) deps-check deps-device random-guest
deps-check deps-device: deps-%:
	@$(build_scripts)/deps.sh $*

check: deps-check build $(chosen:%=prepare-%)
	@tests/run $(chosen)

$(groups:%=check-%): check-%: prepare-%
	@tests/run $*

# What the device is tested with at random: a program on the bare machine.
random-guest:
	@$(sub) -C qemu-device/qtest/guest

# Speeds, each beside a baseline of its own; no test depends on them.
bench: build
	@set -e; for b in $(O)/bin/ppim-bench-*; do echo "$$(basename $$b)"; $$b; echo; done
	@tools/bench/throughput.sh

prepare-unit: deps-check tools
	@$(sub) -C tests/unit

# Sanitized objects have a place of their own.
prepare-unit-san: deps-check
	@set -e; for c in $(filter-out tools,$(components)) tests/unit; do $(sub) -C $$c O=$(O)/san SAN=1; done

prepare-cli: deps-check tools
prepare-qtest: deps-check qemu random-guest
prepare-device: deps-device build qemu-asan qemu-tsan random-guest
# Its programs run for many minutes each.
check-device: export PPIM_TEST_TIMEOUT ?= 3600
prepare-module: deps-check module $(foreach s,$(CONFIG_BUILD_KERNEL),$(O)/linux/$(s)/build/Makefile) \
	$(harness)
prepare-kselftest: deps-check qemu guest $(harness)
	@$(sub) -C tests/kselftest HARNESS=$(dir $(harness))
prepare-guest: deps-check build
prepare-lint: deps-check tools
prepare-docs: deps-check build
