# shellcheck shell=bash
# shellcheck disable=SC2154 # build, tmp, top are those of tap.sh
# SPDX-License-Identifier: MIT
# How the sanitized QEMUs report. What is not ours to mend is named in the
# .supp files, each with its reason.

here=$top/tests/device
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0:abort_on_error=0
export LSAN_OPTIONS=suppressions=$here/leak.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:suppressions=$here/undefined.supp
export TSAN_OPTIONS=suppressions=$here/thread.supp:print_suppressions=0:second_deadlock_stack=1:history_size=5
