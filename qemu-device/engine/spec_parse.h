/* SPDX-License-Identifier: MIT */
/*
 * What spec_ini.c reads out of a file and spec.c makes a struct ppim_spec of:
 * the values as stated, before anything is derived.
 */
#ifndef PPIM_ENGINE_SPEC_PARSE_H
#define PPIM_ENGINE_SPEC_PARSE_H

#include "ppim-engine/spec.h"

/* A value that was not stated. */
#define RAW_ABSENT UINT32_MAX

struct spec_raw {
	uint32_t protocol;
	uint32_t bankgroups, banks_per_group, bankgroup_enable;
	uint32_t rows, columns, device_width, bl;
	uint32_t dual_cmd, pseudo_channels;
	uint64_t tck_fs;
	uint32_t data_rate;
	uint32_t al, cl, cwl;
	uint32_t tccd_l, tccd_s, tccd_l_wr, trtw, trtrs, trtp, twtr_l, twtr_s, twr;
	uint32_t trp, trrd_l, trrd_s, tras, trcd, trcd_rd, trcd_wr, trc;
	uint32_t trfc, trfcb, trefi, trefib, tfaw, t32aw, tppd;
	uint32_t channel_mb, channels, bus_width;
	uint32_t page, refresh, queues;
	uint32_t cmd_queue_size, trans_queue_size, unified_queue;
	uint32_t self_refresh;
	uint32_t hmc_block;
	double vdd, vpp;
	double idd_ma[PPIM_IDD_COUNT];
	uint32_t idd_present;
	char map[64];
};

/* Fills *diag as "source: key: reason"; returns err for the caller to pass
 * on. */
int spec_fail(struct ppim_diag *diag, int err, const char *source,
	      const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

void spec_note(struct ppim_spec *spec, enum ppim_note_kind kind,
	       const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Reads the text; notes and [pim] entries go straight into *spec. */
int spec_ini_parse(const char *source, const char *text, size_t len,
		   struct spec_raw *raw, struct ppim_spec *spec,
		   struct ppim_diag *diag);

int spec_map_parse(const char *source, const char *text,
		   struct ppim_spec *spec, struct ppim_diag *diag);

#endif
