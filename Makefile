# Holon: a cluster that is one machine. `make help` lists what there is.
#
# Everything made lands below build/. Only `make packages` needs root.

BUILD    := build
TREE     := $(BUILD)/linux
DOWNLOAD := $(BUILD)/dl
NODES    ?= 3
DEBUG    ?=

# A recipe that feeds a log names it first; what fails shows its tail.
LOGS := $(BUILD)/log
RUN  := ci/run-logged $(LOGS)

FLAVOUR  ?= $(if $(DEBUG),debug,product)
FRAGMENTS_product := base.config node.config holon.config
FRAGMENTS_debug   := base.config node.config holon.config debug.config
FRAGMENTS_kasan   := $(FRAGMENTS_debug) kasan.config
# The reference of the benchmarks: the same tree without the option.
FRAGMENTS_off     := base.config node.config

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s'|'

# --- machine -----------------------------------------------------------------
.PHONY: packages
packages: ## install what the build machine needs (ci/packages), with sudo when not root
	@ci/install-packages

# --- kernel ------------------------------------------------------------------
.PHONY: tree kernel series hooks
tree: packages ## unpack the pinned kernel source, copy kernel/, push linux-patches/
	@$(RUN) tree linux-patches/make-tree $(TREE) $(DOWNLOAD)

kernel: tree ## build the product kernel, or with DEBUG=1 the one the tests run on
	@$(RUN) kernel-$(FLAVOUR) configs/build-kernel $(TREE) $(FLAVOUR) $(FRAGMENTS_$(FLAVOUR))

series: ## export overlay and hooks as one plain quilt series: build/series
	@linux-patches/make-series $(BUILD)/series

hooks: ## count the upstream files and lines that linux-patches/ touches
	@linux-patches/count-hooks

# --- userland and images -----------------------------------------------------
.PHONY: userland image root
USERLAND := $(BUILD)/userland
userland: tree ## build the programs of a node
	@$(RUN) userland $(MAKE) --no-print-directory -C userland O=$(abspath $(USERLAND))

image: userland switch ## the initramfs image of the tests
	@$(RUN) image distro/image/build-initramfs $(BUILD)/image/initramfs.cpio.lz4 $(USERLAND)

root: userland switch ## the Debian root of the nodes: build/image/root.squashfs
	@$(RUN) root distro/image/build-root $(BUILD)/image/root.squashfs $(USERLAND)

# --- packages -----------------------------------------------------------------
.PHONY: deb
deb: tree ## Debian packages of the userland: build/deb
	@$(RUN) deb distro/build-deb $(BUILD)/deb $(TREE)

.PHONY: deb-kernel deb-source disk iso
deb-kernel: tree ## and those of a kernel for real machines; takes about an hour on two processors
	@$(RUN) deb-kernel distro/build-kernel-deb $(BUILD)/deb $(TREE) $(DOWNLOAD)

deb-source: tree ## the source package of that kernel: build/deb
	@$(RUN) deb-source distro/build-kernel-source $(BUILD)/deb $(TREE) $(DOWNLOAD)

# Expanded by the shell, when they are there.
NODE_DEBS := $(addprefix $(BUILD)/deb/,holon-tools_*.deb holon-node_*.deb linux-image-*.deb)
CONFIG ?=
disk: deb deb-kernel ## an UEFI disk with Debian and all of them: build/disk/holon.img; CONFIG=TAR: files for it
	@$(RUN) disk sh -c 'distro/disk/build-disk $(BUILD)/disk/holon.img \
		"$$(distro/image/debian-tree $(BUILD)/disk distro/disk/packages)" $(NODE_DEBS) $(CONFIG)'

iso: deb deb-kernel userland ## a live image that is a node: build/live/holon.iso
	@$(RUN) iso sh -c 'distro/live/build-iso $(BUILD)/live/holon.iso \
		"$$(distro/image/debian-tree $(BUILD)/live distro/live/packages)" $(USERLAND)/holon/holon $(NODE_DEBS)'

# --- a cluster ----------------------------------------------------------------
.PHONY: up down
up: kernel root ## boot NODES=3 nodes and open a console on node 1; without a terminal: the tour
	@/usr/bin/python3 tests/harness/up.py --nodes $(NODES)

down: ## stop the cluster of make up
	@/usr/bin/python3 tests/harness/up.py --down

# --- tests -------------------------------------------------------------------
.PHONY: switch cluster-test
# What the harness runs on this machine.
switch: $(BUILD)/tests/switch $(BUILD)/tests/tsc
$(BUILD)/tests/%: tests/harness/%.c
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

cluster-test: ## pytest over clusters of virtual nodes, on the debug kernel; T= selects
	@$(MAKE) --no-print-directory kernel DEBUG=1
	@$(MAKE) --no-print-directory image switch
	/usr/bin/python3 -m pytest -c tests/pytest.ini $(or $(T),tests)

.PHONY: check check-long bench lint unit
check: packages ## everything CI runs: build, lint, unit tests, cluster tests
	@ci/check

check-long: packages ## what takes hours: full counts, reproducible build, each prefix of the series
	@ci/check-long

bench: ## the ratio tables of the designs, on the product kernel: build/bench/bench.md; B= selects
	@$(MAKE) --no-print-directory kernel FLAVOUR=product
	@$(MAKE) --no-print-directory kernel FLAVOUR=off
	@$(MAKE) --no-print-directory image root
	/usr/bin/python3 tests/bench/bench.py $(B)

lint: tree ## static checks: checkpatch, sparse, kernel-doc, shellcheck, patch headers
	@ci/lint $(TREE)

unit: ## KUnit suites, in one booted debug kernel, and unit tests of the userland
	@$(MAKE) --no-print-directory kernel DEBUG=1
	@ci/kunit $(TREE)/out-debug/arch/x86/boot/bzImage $(LOGS)/kunit-console.log
	@$(MAKE) --no-print-directory userland
	/usr/bin/python3 -m pytest -c tests/pytest.ini tests/unit
