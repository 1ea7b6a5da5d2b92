#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Whatever the program before did to the driver, the kernel had nothing to
# complain about. A mark in the log says how far it was looked at.
mark="kselftest: kernel log looked at"
bad='BUG:|WARNING:|Oops|general protection|refcount_t|use-after-free|unreferenced object'
bad="$bad|hung_task|blocked for more than|list_(add|del) corruption"
bad="$bad|possible recursive|circular locking|inconsistent lock|leaked"
echo "TAP version 13"
echo "1..1"
complaints=$(dmesg | awk -v mark="$mark" 'index($0, mark) { n = 0; next } { line[n++] = $0 }
	END { for (i = 0; i < n; i++) print line[i] }' | grep -E "$bad")
echo "$mark" >/dev/kmsg
if [ -z "$complaints" ]; then
	echo "ok 1 the kernel log has no warning"
	exit 0
fi
echo "$complaints" | sed 's/^/# /'
echo "not ok 1 the kernel log has no warning"
exit 1
