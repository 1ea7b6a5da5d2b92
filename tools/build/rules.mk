# SPDX-License-Identifier: MIT
# What every host-side Makefile shares: where things go and how C is compiled.
# The including Makefile sets `top` (path of the repository's root, relative or
# absolute) before it includes this file.

top := $(abspath $(top))
O ?= $(top)/build
override O := $(abspath $(O))
OBJ := $(O)/obj
BIN := $(O)/bin
LIB := $(O)/lib

CC ?= gcc
AR ?= ar
OPT ?= -O2 -g
# SAN=1 builds with the address and undefined-behaviour sanitizers.
ifeq ($(SAN),1)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
# -ffp-contract=off: fused multiply-add only where the source says so, so that
# sums are bit-identical whatever the compiler's vector width.
PPIM_CFLAGS := -std=gnu11 $(OPT) $(SANFLAGS) -Wall -Wextra -Werror -fPIC \
	-fvisibility=hidden -ffp-contract=off -MMD -MP \
	-I$(top)/kernel/include/uapi
PPIM_LDFLAGS := $(SANFLAGS)

# $(call objs,area,sources): object files of sources below build/obj/area.
objs = $(patsubst %.c,$(OBJ)/$(1)/%.o,$(2))

# $(eval $(call compile_rule,area,source-dir,extra-cflags))
define compile_rule
$(OBJ)/$(1)/%.o: $(2)/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(PPIM_CFLAGS) $(3) $$(CFLAGS) -c -o $$@ $$<
endef

# $(call archive,target,objects): a static library without stale members.
archive = mkdir -p $(dir $(1)) && $(AR) rcs $(1).$$$$ $(2) && mv $(1).$$$$ $(1)
