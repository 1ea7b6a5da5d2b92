# SPDX-License-Identifier: MIT
# Where `make install` puts things: below PREFIX, or, for packagers, below
# DESTDIR/PREFIX.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/ppim
INSTALL ?= install
