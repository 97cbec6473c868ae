# A program that links against libholon. Its Makefile sets PART and WHERE, the
# folder it is installed in, and includes this.
include ../common.mk

YNL ?= $(abspath ../../build/linux/tools/net/ynl/lib)
VERSION ?= 0.1
CFLAGS += -I../libholon -isystem $(YNL) -I../../kernel/include/uapi -DVERSION='"$(VERSION)"'
OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard *.c))
LIBRARY := $(O)/libholon/libholon.a

.PHONY: all install clean
all: $(OUT)/$(PART)
$(OUT)/%.o: %.c $(wildcard *.h) ../libholon/libholon.h ../libholon/holon-user.h | $(OUT)
	$(CC) $(CFLAGS) -c -o $@ $<
$(OUT)/$(PART): $(OBJECTS) $(LIBRARY)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJECTS) $(LIBRARY)
install: all
	install -D $(STRIP) -m 755 $(OUT)/$(PART) $(DESTDIR)/$(WHERE)/$(PART)
clean:
	rm -rf $(OUT)
