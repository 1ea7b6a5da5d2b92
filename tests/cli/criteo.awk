# SPDX-License-Identifier: MIT
# Rows in Criteo's raw format, with its empty fields: awk -f criteo.awk -v n=200
# The generator is Park and Miller's, so every awk prints the same.

function draw(below) {
	seed = seed * 48271 % 2147483647
	return seed % below
}

BEGIN {
	OFS = "\t"
	seed = 20140923
	for (line = 0; line < n; line++) {
		$0 = draw(4) ? 0 : 1
		for (f = 2; f <= 14; f++)
			$f = draw(5) ? draw(3000) - 2 : ""
		# a few categories make most of a column, as in the real data
		for (f = 15; f <= 40; f++) {
			hot = draw(3) ? draw(6) : draw(100000)
			$f = draw(10) ? sprintf("%08x", (hot * 2654435 + f * 97) % 4294967296) : ""
		}
		print
	}
}
