// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "dram_fixture.h"

const struct fx_mix fx_mixes[] = {
	{ "random reads", 0, 1, 0, 0, 0 },
	{ "random vectors, reads and writes", 0, 4, 33, 0, 0 },
	{ "a small table that is read and written", 512, 1, 40, 3, 0 },
	{ "few rows", 1 << 16, 8, 20, 60, 0 },
	{ "with pauses", 0, 2, 25, 10, 30000 },
};

const uint32_t fx_mixes_n = sizeof(fx_mixes) / sizeof(fx_mixes[0]);

void fx_spec(const char *name, struct ppim_spec *spec)
{
	struct ppim_diag diag;

	if (ppim_spec_find(name, spec, &diag))
		fail_msg("%s", diag.msg);
}

bool fx_shipped(uint32_t i, struct ppim_spec *spec)
{
	const char *name = ppim_spec_builtin_name(i);

	if (name)
		fx_spec(name, spec);
	return name;
}

bool fx_variant(uint32_t i, struct ppim_spec *spec)
{
	fx_spec(i % 2 ? "DDR4_8Gb_x8_3200" : "HBM2_4Gb_x128", spec);
	switch (i / 2) {
	case 0:
		spec->page = PPIM_CLOSE_PAGE;
		return true;
	case 1:
		spec->refresh = PPIM_REFRESH_BANK_STAGGERED;
		spec->t.trfcb = 90;
		spec->t.trefib = 400;
		return true;
	case 2:
		spec->refresh = PPIM_REFRESH_RANK_SIMULTANEOUS;
		return true;
	case 3:
		spec->refresh = PPIM_REFRESH_NONE;
		return true;
	case 4:
		spec->unified_queue = true;
		return true;
	case 5:
		spec->cmd_queue_size = 16;
		spec->trans_queue_size = 5;
		spec->t.tppd = 3;
		return true;
	case 6:
		spec->cmd_queue_size = 1;
		spec->trans_queue_size = 77;
		spec->t.t32aw = 400;
		return true;
	default:
		return false;
	}
}

struct ppim_dram *fx_dram(const struct ppim_spec *spec, uint32_t inject)
{
	struct ppim_dram *m;
	struct ppim_diag diag;

	if (ppim_dram_create(spec, inject, &m, &diag))
		fail_msg("%s", diag.msg);
	return m;
}

uint64_t dram_fx_hash(uint64_t n)
{
	uint64_t z = (n + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

struct fx_random fx_random(const struct fx_mix *mix,
			   const struct ppim_spec *spec)
{
	return (struct fx_random){
		.mix = mix,
		.bytes = mix->span_bursts ?
				 mix->span_bursts * spec->burst_bytes :
				 spec->bytes,
		.burst_bytes = spec->burst_bytes,
	};
}

void fx_next(struct fx_random *r, struct ppim_dram_req *req)
{
	const struct fx_mix *mix = r->mix;
	uint64_t size = mix->vector * r->burst_bytes;

	if (!r->left) {
		r->base = dram_fx_hash(r->n++) % (r->bytes / size) * size;
		r->write = dram_fx_hash(r->n++) % 100 < mix->writes;
		r->cycle += dram_fx_hash(r->n++) % (mix->gap + 1);
		if (dram_fx_hash(r->n++) % 64 == 0)
			r->cycle += mix->pause;
		r->left = mix->vector;
	}
	r->left--;
	req->addr = r->base + r->left * r->burst_bytes;
	req->cycle = r->cycle & INT64_MAX;
	req->write = r->write;
}
