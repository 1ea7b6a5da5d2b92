/* SPDX-License-Identifier: MIT */
/*
 * Parameters of everything that is not the DRAM: PIM units, buses, links,
 * caches, the host, energies. One table describes them all; the structure's
 * fields, the names that users write and the documents come from it.
 *
 * Sources of the defaults, named in the last column of the table:
 *   code    the public evaluation code of the paper's authors
 *   spec    follows from the memory's specification
 *   trim    TRiM (Park et al., MICRO 2021): compressed instruction of 85 bits
 *   recnmp  RecNMP (Ke et al., ISCA 2020)
 *   jesd    JESD235: command and address pins of one HBM channel
 *   isscc   Horowitz, ISSCC 2014, energies at 45 nm
 *   pcie5   PCI Express 5.0 x16; cxl  CXL 2.0 on the same lanes
 *   ours    not published: chosen by us, the reason stands beside it
 */
#ifndef PPIM_ENGINE_PARAMS_H
#define PPIM_ENGINE_PARAMS_H

#include <stddef.h>
#include <stdint.h>
#include "ppim-engine/spec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ppim_link {
	PPIM_LINK_NONE, /* the memories hang on the host's own controllers */
	PPIM_LINK_PCIE,
	PPIM_LINK_CXL,
	PPIM_LINK_COUNT
};

/* X(field, default, least, greatest, unit, source, text). All are uint64_t. */
#define PPIM_PARAMS(X) \
	/* bg-PIM: the unit at each bank group */ \
	X(sram_bytes, 40960, 0, 1 << 26, "B", "code", \
	  "SRAM of one bg-PIM") \
	X(bg_macs, 64, 1, 1 << 16, "", "code", \
	  "multiply-accumulate units of one bg-PIM") \
	X(bg_mhz, 1000, 1, 100000, "MHz", "ours", \
	  "their clock: the HBM2 command clock") \
	X(bg_queue, 8, 1, 64, "commands", "ours", \
	  "commands that a bank group looks ahead to open rows: the " \
	  "reference controller's command queue") \
	X(bg_operands, 8, 1, 64, "buffers", "ours", \
	  "reads that may run ahead of the MACs: as many as are looked ahead") \
	X(acc_bytes, 16384, 64, 1 << 26, "B", "ours", \
	  "partial sums of one table in one bg-PIM: a batch of 32 vectors " \
	  "of 512 B") \
	X(product_bytes, 8192, 64, 1 << 26, "B", "ours", \
	  "TT products that one pass over a G2 slice may form: 16 of 512 B") \
	X(tt_group, 1, 0, 2, "", "code", \
	  "TT lookups of a phase share reads of a G2 slice: 0 never, 1 in " \
	  "proactive presets, 2 in bgpim and bgpim+dup as well") \
	X(phase_overlap, 0, 0, 2, "", "code", \
	  "a table's gather begins when the table before it has left: 0 all " \
	  "units, 1 this bank group; 2: at once, a second set of partial " \
	  "sums takes it") \
	/* bd-PIM: the unit on the base die */ \
	X(bd_macs, 256, 1, 1 << 16, "", "ours", \
	  "MACs of the bd-PIM: what all channels' buses deliver, twice over") \
	X(bd_mhz, 1000, 1, 100000, "MHz", "ours", "their clock") \
	X(bd_sram_bytes, 40960, 0, 1 << 26, "B", "ours", \
	  "SRAM of the bd-PIM, filled with the bank groups': as one of them") \
	/* commands */ \
	X(cmd_compressed, 1, 0, 1, "", "code", \
	  "1: one instruction per read; 0: every DRAM command by itself") \
	X(cmd_bits, 85, 1, 4096, "bit", "trim", \
	  "bits of a compressed instruction") \
	X(cmd_pin_bits, 28, 1, 4096, "bit/clk", "jesd", \
	  "command/address bits of a channel in one clock: 14 pins, both " \
	  "edges") \
	X(cmd_dq, 1, 0, 1, "", "ours", \
	  "1: instructions use the data pins as well, which are idle while " \
	  "bank groups read") \
	/* operand moves */ \
	X(move_row, 1, 0, 1, "", "code", \
	  "1: a moved operand is written through a row of the destination; " \
	  "0: into a register of the bg-PIM") \
	X(move_ns, 0, 0, 1000000, "ns", "code", \
	  "time in the host beyond n x burst cycles") \
	/* tiers */ \
	X(dimm_channels, 2, 1, 64, "", "code", \
	  "DIMM channels, where the specification describes one") \
	X(hot_ppm, 0, 0, 1000000, "ppm", "spec", \
	  "share of accesses for the HBM; 0: by the ratio of bandwidths") \
	/* host link */ \
	X(link, PPIM_LINK_NONE, 0, PPIM_LINK_COUNT - 1, "", "code", \
	  "none, pcie or cxl; sets link_ns and link_mbps") \
	X(link_ns, 0, 0, 1000000, "ns", "ours", \
	  "one way: pcie 250, cxl 75: half of a measured round trip's order") \
	X(link_mbps, 0, 0, 100000000, "MB/s", "pcie5", \
	  "one direction: 63015 for both (32 GT/s x 16, 128b/130b)") \
	/* cpu preset */ \
	X(llc_bytes, 33554432, 4096, 1ull << 32, "B", "code", \
	  "last-level cache") \
	X(llc_ways, 4, 1, 32, "", "code", "its ways") \
	X(llc_line, 64, 16, 4096, "B", "ours", "its line") \
	X(llc_ns, 20, 0, 100000, "ns", "ours", \
	  "latency of a hit: the order of server parts") \
	X(llc_mbps, 320000, 1, 100000000, "MB/s", "ours", \
	  "bandwidth of hits: 16 cores x 20 GB/s") \
	X(cpu_cores, 16, 1, 4096, "", "ours", "cores") \
	X(cpu_misses, 10, 1, 4096, "", "ours", \
	  "outstanding misses of one core: line fill buffers") \
	X(cpu_mem_ns, 40, 0, 100000, "ns", "ours", \
	  "core to memory controller and back, beside the DRAM's own time") \
	X(cpu_gflops, 980, 1, 100000000, "GFLOP/s", "code", \
	  "arithmetic of all cores") \
	/* recnmp preset */ \
	X(recnmp_cache_bytes, 131072, 0, 1 << 30, "B", "recnmp", \
	  "cache of one rank's unit") \
	X(recnmp_ways, 4, 1, 32, "", "ours", "its ways") \
	X(recnmp_hit_bytes, 64, 1, 1 << 16, "B/clk", "ours", \
	  "what the cache delivers in one HBM clock: a line") \
	X(rank_macs, 64, 1, 1 << 16, "", "ours", \
	  "MACs of one rank's unit: as a bg-PIM") \
	/* trim preset */ \
	X(trim_hot_bytes, 65536, 0, 1 << 30, "B", "ours", \
	  "hot rows replicated in each bank group: 0.05 % of 128 MB") \
	X(trim_ways, 8, 1, 32, "", "ours", "ways of the table of them") \
	/* energy, in femtojoules */ \
	X(mac_fj, 4600, 0, 1000000000, "fJ", "isscc", \
	  "one fp32 multiply-accumulate: 3.7 + 0.9 pJ") \
	X(sram_fj_byte, 1250, 0, 1000000000, "fJ/B", "isscc", \
	  "SRAM access: 10 pJ per 8 B of an 8 KB array") \
	X(bus_fj_byte, 8000, 0, 1000000000, "fJ/B", "ours", \
	  "bank group to base die: 1 pJ/bit, the order of moving data " \
	  "inside an HBM2 stack") \
	X(io_fj_byte, 6400, 0, 1000000000, "fJ/B", "ours", \
	  "base die to host: 0.8 pJ/bit, the order of HBM2's interface") \
	X(dimm_io_fj_byte, 80000, 0, 1000000000, "fJ/B", "ours", \
	  "DIMM to host: 10 pJ/bit, the order of DDR4's interface") \
	X(link_fj_byte, 40000, 0, 1000000000, "fJ/B", "ours", \
	  "host link: 5 pJ/bit, the order of a 32 GT/s serial lane") \
	X(llc_fj_byte, 12500, 0, 1000000000, "fJ/B", "isscc", \
	  "last-level cache: 100 pJ per 8 B of a 1 MB array")

struct ppim_params {
#define PPIM_PARAM_FIELD(field, ...) uint64_t field;
	PPIM_PARAMS(PPIM_PARAM_FIELD)
#undef PPIM_PARAM_FIELD
};

struct ppim_param_info {
	const char *name;
	uint64_t def, min, max;
	const char *unit;
	const char *source;
	const char *text;
};

void ppim_params_default(struct ppim_params *params);

/*
 * Sets one parameter by name. Values are decimal or 0x numbers, K, M and G
 * mean 2^10, 2^20 and 2^30; `link` takes none, pcie or cxl. Returns 0, or
 * -ENOENT (no such name) or -EINVAL (malformed or out of range) with one line
 * that names the parameter and its range.
 */
int ppim_params_set(struct ppim_params *params, const char *name,
		    const char *value, struct ppim_diag *diag);

/* Applies a specification's [pim] section; errors name file and line. */
int ppim_params_apply(struct ppim_params *params, const struct ppim_spec *spec,
		      struct ppim_diag *diag);

/* 0, or -EINVAL with the first parameter that is out of its range. */
int ppim_params_check(const struct ppim_params *params,
		      struct ppim_diag *diag);

/* The i-th parameter, NULL past the last. */
const struct ppim_param_info *ppim_params_info(size_t i);
uint64_t ppim_params_get(const struct ppim_params *params, size_t i);

const char *ppim_link_name(uint64_t link);

#ifdef __cplusplus
}
#endif

#endif
