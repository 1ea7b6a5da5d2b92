// SPDX-License-Identifier: MIT
/* Address maps: six fields of two letters, most significant first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spec_parse.h"

static const char field_names[PPIM_FIELD_COUNT][3] = {
	[PPIM_CH] = "ch", [PPIM_RA] = "ra", [PPIM_BG] = "bg",
	[PPIM_BA] = "ba", [PPIM_RO] = "ro", [PPIM_CO] = "co",
};

static uint32_t log2_u32(uint32_t n)
{
	return 31u - (uint32_t)__builtin_clz(n);
}

static void map_widths(const struct ppim_spec *spec, struct ppim_addrmap *map)
{
	map->shift = (uint8_t)log2_u32(spec->burst_bytes);
	map->width[PPIM_CH] = (uint8_t)log2_u32(spec->channels);
	map->width[PPIM_RA] = (uint8_t)log2_u32(spec->ranks);
	map->width[PPIM_BG] = (uint8_t)log2_u32(spec->bankgroups);
	map->width[PPIM_BA] = (uint8_t)log2_u32(spec->banks_per_group);
	map->width[PPIM_RO] = (uint8_t)log2_u32(spec->rows);
	map->width[PPIM_CO] = (uint8_t)log2_u32(spec->bursts_per_row);
}

static int map_field(const char *text)
{
	int f;

	for (f = 0; f < PPIM_FIELD_COUNT; f++)
		if (!strncmp(text, field_names[f], 2))
			return f;
	return -1;
}

static int map_missing(uint32_t seen)
{
	int f;

	for (f = 0; f < PPIM_FIELD_COUNT; f++)
		if (!(seen & 1u << f))
			return f;
	return -1;
}

int spec_map_parse(const char *source, const char *text,
		   struct ppim_spec *spec, struct ppim_diag *diag)
{
	static const char key[] = "address_mapping";
	struct ppim_addrmap map = { 0 };
	size_t n = strlen(text), at;
	uint32_t seen = 0, pos = 0;
	int f;

	map_widths(spec, &map);
	if (n % 2)
		return spec_fail(diag, -EINVAL, source, key,
				 "'%.40s': fields of two letters are expected",
				 text);
	for (at = n; at; at -= 2) {
		f = map_field(text + at - 2);
		if (f < 0)
			return spec_fail(diag, -EINVAL, source, key,
					 "'%.40s': '%.2s' is none of ch ra bg ba ro co",
					 text, text + at - 2);
		if (seen & 1u << f)
			return spec_fail(diag, -EINVAL, source, key,
					 "'%.40s' has field '%s' twice", text,
					 field_names[f]);
		seen |= 1u << f;
		map.pos[f] = (uint8_t)pos;
		pos += map.width[f];
	}
	f = map_missing(seen);
	if (f >= 0)
		return spec_fail(diag, -EINVAL, source, key,
				 "'%.40s' misses field '%s'", text,
				 field_names[f]);
	memcpy(map.text, text, n);
	spec->map = map;
	return 0;
}

int ppim_spec_set_map(struct ppim_spec *spec, const char *text,
		      struct ppim_diag *diag)
{
	return spec_map_parse(spec->name, text, spec, diag);
}

void ppim_addr_decode(const struct ppim_addrmap *map, uint64_t addr,
		      struct ppim_loc *loc)
{
	uint32_t i;

	addr >>= map->shift;
	for (i = 0; i < PPIM_FIELD_COUNT; i++)
		loc->f[i] = (uint32_t)(addr >> map->pos[i]) &
			    ((1u << map->width[i]) - 1);
}

uint64_t ppim_addr_encode(const struct ppim_addrmap *map,
			  const struct ppim_loc *loc)
{
	uint64_t addr = 0;
	uint32_t i;

	for (i = 0; i < PPIM_FIELD_COUNT; i++)
		addr |= (uint64_t)loc->f[i] << map->pos[i];
	return addr << map->shift;
}
