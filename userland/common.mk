# What every part of userland/ builds with. A part's Makefile sets PART and
# includes this; objects and programs go to $(O), which the caller names.
O      ?= $(abspath ../../build/userland)
CC     ?= gcc
CFLAGS ?= -O2 -g0
CFLAGS += -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter
# One clone's binaries equal another's: no paths of the build machine in them.
CFLAGS += -ffile-prefix-map=$(abspath ..)=.
# Virtual nodes have no libraries; packages link as Debian does, with LINK=.
LINK   ?= -static -Wl,--build-id=none
STRIP  ?= -s
LDFLAGS += $(LINK)
OUT    := $(O)/$(PART)
DESTDIR ?=

$(OUT):
	@mkdir -p $@
