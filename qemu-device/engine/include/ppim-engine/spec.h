/* SPDX-License-Identifier: MIT */
/*
 * A memory specification: geometry, timing, currents, controller policies and
 * address map of one memory (an HBM stack, a DIMM), as read from an ini file
 * in DRAMsim3's syntax plus the extension keys that qemu-device/docs/
 * engine-dram.md lists.
 *
 * struct ppim_spec is flat: no pointer, nothing to free, copied by
 * assignment. Every time in it is in memory clocks unless its name says so.
 */
#ifndef PPIM_ENGINE_SPEC_H
#define PPIM_ENGINE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a call failed: one line without newline, "file: key: reason". */
struct ppim_diag {
	char msg[256];
};

enum ppim_protocol {
	PPIM_DDR3,
	PPIM_DDR4,
	PPIM_DDR5,
	PPIM_GDDR5,
	PPIM_GDDR5X,
	PPIM_GDDR6,
	PPIM_LPDDR,
	PPIM_LPDDR3,
	PPIM_LPDDR4,
	PPIM_HBM,
	PPIM_HBM2,
	PPIM_HBM3,
	PPIM_HMC, /* its vaults as channels; links and crossbar are not modelled */
	PPIM_PROTOCOL_COUNT
};

enum ppim_page_policy { PPIM_OPEN_PAGE, PPIM_CLOSE_PAGE };

enum ppim_refresh_policy {
	PPIM_REFRESH_RANK_STAGGERED, /* tREFI / ranks apart, one rank each */
	PPIM_REFRESH_RANK_SIMULTANEOUS, /* all ranks every tREFI */
	PPIM_REFRESH_BANK_STAGGERED, /* one bank every tREFIb */
	PPIM_REFRESH_NONE, /* extension: no refresh, for experiments */
};

enum ppim_queue_structure { PPIM_QUEUE_PER_BANK, PPIM_QUEUE_PER_RANK };

/* Timing constraints in memory clocks. */
struct ppim_timing {
	uint64_t tck_fs; /* one memory clock, femtoseconds (0.63 ns: 630000) */
	uint32_t burst; /* clocks that one burst holds the data bus */
	uint32_t al, cl, cwl;
	uint32_t trcd_rd, trcd_wr; /* without AL, as the ini states it */
	uint32_t trp, tras, trc;
	uint32_t tccd_s, tccd_l;
	uint32_t tccd_l_wr; /* write to write in a bank group; else tccd_l */
	uint32_t trtw; /* read to write in a rank */
	uint32_t trrd_s, trrd_l;
	uint32_t tfaw, t32aw; /* t32aw: GDDR only */
	uint32_t trtp, twr;
	uint32_t twtr_s, twtr_l;
	uint32_t trtrs, tppd;
	uint32_t trfc, trefi; /* all banks of a rank */
	uint32_t trfcb, trefib; /* one bank */
};

enum ppim_idd {
	PPIM_IDD0,
	PPIM_IDD2P,
	PPIM_IDD2N,
	PPIM_IDD3P,
	PPIM_IDD3N,
	PPIM_IDD4W,
	PPIM_IDD4R,
	PPIM_IDD5AB,
	PPIM_IDD5PB,
	PPIM_IDD6X,
	PPIM_IPP0,
	PPIM_IDD_COUNT
};

/* Currents of one device in mA; only those whose bit is set were stated. */
struct ppim_power {
	double vdd; /* V */
	double vpp; /* V, 0 if not stated */
	double idd_ma[PPIM_IDD_COUNT];
	uint32_t present; /* 1u << enum ppim_idd */
	bool vdd_present;
};

enum ppim_field {
	PPIM_CH, /* channel, pseudo channels counted as channels */
	PPIM_RA,
	PPIM_BG,
	PPIM_BA, /* bank in its bank group */
	PPIM_RO,
	PPIM_CO, /* burst in its row */
	PPIM_FIELD_COUNT
};

/* Where each field of an address lies; address bits below `shift` select a
 * byte of a burst. */
struct ppim_addrmap {
	char text[16]; /* as in the ini, e.g. "rorabgbachco" */
	uint8_t shift;
	uint8_t pos[PPIM_FIELD_COUNT]; /* from bit `shift` on */
	uint8_t width[PPIM_FIELD_COUNT];
};

struct ppim_loc {
	uint32_t f[PPIM_FIELD_COUNT];
};

/* What a reader of results should know about the file. */
enum ppim_note_kind {
	PPIM_NOTE_IGNORED, /* key is known or unknown, but has no effect here */
	PPIM_NOTE_DEFAULTED, /* key is absent, this value was taken */
	PPIM_NOTE_ADJUSTED, /* value given, another one taken */
};

struct ppim_note {
	enum ppim_note_kind kind;
	char key[24];
	char text[72]; /* the value taken, or why it has no effect */
};

/* One "key = value" of the [pim] section, which this parser does not read. */
struct ppim_ext {
	char key[32];
	char value[48];
	uint32_t line;
};

#define PPIM_SPEC_NOTES 128
#define PPIM_SPEC_EXT 64

struct ppim_spec {
	char name[64]; /* file name without folder and ".ini" */
	enum ppim_protocol protocol;

	/* geometry; per channel unless said otherwise */
	uint32_t channels; /* in all: channels x pseudo channels */
	uint32_t pseudo_channels; /* of one channel; 1: none */
	uint32_t ranks;
	uint32_t bankgroups; /* of a rank */
	uint32_t banks_per_group;
	uint32_t banks; /* of a rank */
	uint32_t rows; /* of a bank */
	uint32_t columns; /* of a row, of device_width bits each */
	uint32_t bursts_per_row;
	uint32_t device_width; /* bits */
	uint32_t bus_width; /* bits */
	uint32_t devices_per_rank;
	uint32_t bl; /* beats of a burst */
	uint32_t burst_bytes; /* bytes of a burst = of a request */
	uint32_t row_bytes; /* of a rank: all devices of it */
	uint64_t bank_bytes;
	uint64_t bankgroup_bytes;
	uint64_t channel_bytes;
	uint64_t bytes; /* of the whole memory */

	struct ppim_timing t;
	struct ppim_power power;
	struct ppim_addrmap map;

	/* the reference controller */
	enum ppim_page_policy page;
	enum ppim_refresh_policy refresh;
	enum ppim_queue_structure queues;
	uint32_t cmd_queue_size; /* entries of one command queue */
	uint32_t trans_queue_size; /* entries of each transaction queue */
	bool unified_queue; /* reads and writes in one transaction queue */
	bool dual_cmd; /* a row and a column command in one clock (HBM) */

	uint32_t n_notes;
	struct ppim_note notes[PPIM_SPEC_NOTES];
	uint32_t n_pim;
	struct ppim_ext pim[PPIM_SPEC_EXT];
};

/* All return 0, or a negative errno with *diag filled (diag may be NULL):
 * -EINVAL the text is malformed or a value impossible, -EOPNOTSUPP a legal
 * value that is not modelled, -ENOENT and others from opening the file. */

int ppim_spec_load(const char *path, struct ppim_spec *out,
		   struct ppim_diag *diag);

/* The same from memory; `name` stands for the file in messages. */
int ppim_spec_load_buf(const char *name, const char *text, size_t len,
		       struct ppim_spec *out, struct ppim_diag *diag);

/* A shipped specification by name, or else a file by path. */
int ppim_spec_find(const char *name_or_path, struct ppim_spec *out,
		   struct ppim_diag *diag);

/* Text of a shipped specification ("HBM2_4Gb_x128"), NULL if there is none. */
const char *ppim_spec_builtin(const char *name);

/* Name of the i-th shipped specification, NULL past the last. */
const char *ppim_spec_builtin_name(size_t i);

const char *ppim_protocol_name(enum ppim_protocol protocol);

/* [pim] section: the entry with this key, NULL if absent. */
const struct ppim_ext *ppim_spec_pim(const struct ppim_spec *spec,
				     const char *key);

/*
 * Replaces the address map: six fields of two letters, most significant
 * first, out of ch ra bg ba ro co.
 */
int ppim_spec_set_map(struct ppim_spec *spec, const char *text,
		      struct ppim_diag *diag);

void ppim_addr_decode(const struct ppim_addrmap *map, uint64_t addr,
		      struct ppim_loc *loc);
uint64_t ppim_addr_encode(const struct ppim_addrmap *map,
			  const struct ppim_loc *loc);

static inline double ppim_spec_ns(const struct ppim_spec *spec,
				  uint64_t clocks)
{
	return (double)clocks * (double)spec->t.tck_fs * 1e-6;
}

static inline bool ppim_spec_is_hbm(const struct ppim_spec *spec)
{
	return spec->protocol >= PPIM_HBM && spec->protocol <= PPIM_HBM3;
}

static inline bool ppim_spec_is_gddr(const struct ppim_spec *spec)
{
	return spec->protocol >= PPIM_GDDR5 && spec->protocol <= PPIM_GDDR6;
}

#ifdef __cplusplus
}
#endif

#endif
