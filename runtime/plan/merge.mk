# SPDX-License-Identifier: MIT
# $(call merge,target,objects): one object in which hidden names are local.
OBJCOPY ?= objcopy
merge = $(LD) -r -o $(1).new $(2) && $(OBJCOPY) --localize-hidden $(1).new $(1) && rm -f $(1).new
