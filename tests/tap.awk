# SPDX-License-Identifier: MIT
# Counts the results in TAP or KTAP output; -v status= is the program's exit
# status, -v limit= the time limit it ran under. Prints
# "passed failed skipped", then a line for each failure.
#
# Nested results are indented by blanks or by "# ". A result that closes a
# nested list repeats what the list said, so leaves alone are counted; a
# closing "not ok" whose list had no failure counts as one.

function fail(text) { failed++; failures = failures text "\n" }

# How far the line is indented; `text` is what stands after the indentation.
# Programs chat, so nested results count only with their number.
function unnest(line,    n) {
	n = 0
	while (match(line, /^(# |  )/)) {
		line = substr(line, 3)
		n += 2
	}
	text = line
	if (n > 0 && text !~ /^((not )?ok [0-9]+|1\.\.[0-9]+)/)
		text = ""
	return n
}

function result(depth, ok, line,    d, closes) {
	sub(/^(not )?ok[ \t]*/, "", line)
	if (line ~ /^1([^0-9]|$)/ && seen[depth] > 0 && (depth in plan))
		seen[depth] -= plan[depth]
	seen[depth]++
	closes = 0
	for (d in seen)
		if (d + 0 > depth && seen[d] > 0) {
			closes = 1
			check_plan(d)
			inner += bad[d]
			seen[d] = bad[d] = 0
		}
	if (!ok)
		bad[depth]++
	if (closes) {
		if (!ok && inner == 0)
			fail(line)
		inner = 0
		return
	}
	if (line ~ /# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else if (ok)
		passed++
	else
		fail(line)
}

function check_plan(depth) {
	if ((depth in plan) && plan[depth] != seen[depth])
		fail("planned " plan[depth] " tests, ran " seen[depth])
	delete plan[depth]
}

BEGIN { passed = failed = skipped = inner = 0 }

{
	sub(/\r$/, "")
	depth = unnest($0)
}

# A program may print several lists one after the other. A plan that says how
# many there were so far, as glib's after each result, only grows.
text ~ /^1\.\.[0-9]+/ {
	if ((depth in plan) && substr(text, 4) + 0 != seen[depth]) {
		check_plan(depth)
		seen[depth] = 0
	}
	plan[depth] = substr(text, 4) + 0
	if (plan[depth] == 0 && text ~ /[Ss][Kk][Ii][Pp]/) {
		skipped++
		delete plan[depth]
	}
}
text ~ /^ok([ \t]|$)/ { result(depth, 1, text) }
text ~ /^not ok([ \t]|$)/ { result(depth, 0, text) }
text ~ /^Bail out!/ { fail(text) }

END {
	for (d in plan)
		check_plan(d)
	if (status == 124 || status == 137)
		fail("ended after " limit " s")
	else if (status != 0 && failed == 0)
		fail("exit status " status " without a failed test")
	if (passed + failed + skipped == 0)
		fail("no test in its output")
	printf "%d %d %d\n%s", passed, failed, skipped, failures
}
