#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the kernel's own runner over the list of programs, and after
# each of them a look at the kernel's log.
BASE_DIR=$(dirname "$0")
export BASE_DIR
cd "$BASE_DIR/ppim" || exit
# shellcheck source=/dev/null # the kernel's
. ../kselftest/runner.sh
# shellcheck disable=SC2046 # one word for each program
run_many $(sed 's/$/ kernel_log.sh/' ../list)
