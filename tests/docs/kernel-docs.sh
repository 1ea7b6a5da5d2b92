#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The driver's documents say what its source says: calls, statuses with their
# errnos, sysfs attributes, tracepoints, module parameters, debugfs files.

# shellcheck disable=SC2016 # the backquotes are the pages' own

. "$(dirname "$0")/../tap.sh"

kernel=$top/kernel
page=$kernel/docs/uapi.md
abi=$kernel/docs/abi-sysfs-class-ppim

sorted() { sort -u | tr '\n' ' '; }

calls_of_header() { grep -oE '^#define PPIM_(IOC|URING)_[A-Z_]+[[:space:]]+_IO' "$kernel/include/uapi/linux/ppim.h" | awk '{ print $2 }' | sorted; }
calls_of_page() { sed -n '/^## 2\./,/^### Tables/p' "$1" | grep -oE '^\| `PPIM_[A-Z_]+`' | tr -d '|` ' | sorted; }

attrs_of_source() { grep -oE '&dev_attr_[a-z_]+' "$kernel/ppim_sysfs.c" | sed 's/&dev_attr_//' | sorted; }
attrs_of_abi() { sed -n 's#^What:.*/ppimN/##p' "$1" | sorted; }

# "STATUS ERRNO", OK being 0.
statuses_of_source() { sed -nE 's/^\t\[(PPIM_ST_[A-Z_]+)\] = ([A-Z0-9]+),/\1 \2/p' "$kernel/ppim_job.c" | sorted; }
statuses_of_page() { sed -nE 's/^\| `(PPIM_ST_[A-Z_]+)` \| `?([A-Z0-9]+)`?[ ;].*/\1 \2/p' "$1" | sorted; }

events_of_source() { grep -oE '^(TRACE|DEFINE)_EVENT\(([a-z_]+, )?ppim_[a-z]+' "$kernel/ppim_trace.h" | sed -E 's/.*[(, ](ppim_[a-z]+)$/\1/' | sorted; }
events_of_page() { grep -oE '`ppim_(submit|complete|place|duplicate|prefetch|fault)[a-z_]*`' "$1" | tr -d '`' | sorted; }

params_of_source() { grep -ohE 'module_param_named\([a-z_]+' "$kernel"/*.c | sed 's/.*(//' | sorted; }
params_of_page() { sed -n "/^- module parameters/,/^\$/p" "$1" | grep -oE '`[a-z_]+`' | tr -d '`' | sorted; }

files_of_source() { grep -oE 'debugfs_create_file\("[a-z]+"' "$kernel/ppim_debugfs.c" | grep -oE '"[a-z]+"' | tr -d '"' | sorted; }
files_of_page() { sed -n '/^- debugfs/p' "$1" | grep -oE '`[a-z]+`' | tr -d '`' | sorted; }

errnos_of_header() { sed -n '/^ \* Errors, for every/,/^ \*\//p' "$kernel/include/uapi/linux/ppim.h" | grep -oE '^ \*   -E[A-Z0-9]+' | sed 's/.*-//' | sorted; }
# The page has all of the header's, and those that the header leaves open.
errnos_missing() { comm -23 <(errnos_of_header | tr ' ' '\n') <(grep -oE '^\| `E[A-Z0-9]+`' "$1" | tr -d '|` ' | sort -u) | sorted; }

is "calls" "$(calls_of_page "$page")" "$(calls_of_header)"
is "sysfs attributes" "$(attrs_of_abi "$abi")" "$(attrs_of_source)"
is "statuses and their errnos" "$(statuses_of_page "$page")" "$(statuses_of_source)"
is "tracepoints" "$(events_of_page "$page")" "$(events_of_source)"
is "module parameters" "$(params_of_page "$page")" "$(params_of_source)"
is "debugfs files" "$(files_of_page "$page")" "$(files_of_source)"
is "errnos of the header that the page lacks" "$(errnos_missing "$page" | tr -d ' ')" ""

# The comparisons can fail.
sed 's/PPIM_IOC_WAIT/PPIM_IOC_WAIL/; s/ERANGE/EDOM/; s/queue_entries/queue_depth/; s/`blocks`/`bricks`/; s/ppim_fault/ppim_faults/' "$page" >"$tmp/page"
sed 's#ppimN/state#ppimN/status#' "$abi" >"$tmp/abi"
differs() { [ "$2" != "$3" ]; result $? "$1"; }
differs "a wrong call is noticed" "$(calls_of_page "$tmp/page")" "$(calls_of_header)"
differs "a wrong attribute is noticed" "$(attrs_of_abi "$tmp/abi")" "$(attrs_of_source)"
differs "a wrong errno is noticed" "$(statuses_of_page "$tmp/page")" "$(statuses_of_source)"
differs "a wrong tracepoint is noticed" "$(events_of_page "$tmp/page")" "$(events_of_source)"
differs "a wrong parameter is noticed" "$(params_of_page "$tmp/page")" "$(params_of_source)"
differs "a wrong debugfs file is noticed" "$(files_of_page "$tmp/page")" "$(files_of_source)"

done_testing
