// SPDX-License-Identifier: MIT
/* Commands as text, and names of presets and resources. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include "engine_int.h"
#include "ppim-engine/pim.h"

static const char *const devices[] = { "HBM", "DIMM", "HOST", "LINK" };
static const char *const ops[] = { "RD", "PR", "TR", "DR", "CR",
				   "CW", "LD", "OP", "DN", "UP" };
static const char *const units[] = { "default", "bg", "rank", "base", "host" };

_Static_assert(ARRAY_SIZE(devices) == PPIM_PIM_DEVICES, "device names");
_Static_assert(ARRAY_SIZE(ops) == PPIM_PIM_OPS, "command names");
_Static_assert(ARRAY_SIZE(units) == PPIM_PIM_UNITS, "unit names");

/* ---- names -------------------------------------------------------------- */

const char *ppim_engine_arch_name(uint32_t arch)
{
#define NAME(value, name) [value] = name,
	static const char *const names[] = { PPIM_ARCH_NAMES(NAME) };
#undef NAME

	return arch < ARRAY_SIZE(names) ? names[arch] : "?";
}

int ppim_engine_arch_find(const char *name)
{
	int i;

	for (i = 0; i < PPIM_ARCH_COUNT; i++)
		if (!strcmp(name, ppim_engine_arch_name((uint32_t)i)))
			return i;
	return -1;
}

const char *ppim_engine_bound_name(uint32_t bound)
{
#define NAME(value, name) [value] = name,
	static const char *const names[] = { PPIM_BOUND_NAMES(NAME) };
#undef NAME

	return bound < ARRAY_SIZE(names) ? names[bound] : "?";
}

const char *ppim_engine_part_name(uint32_t part)
{
	static const char *const names[PPIM_PART_COUNT] = {
		[PPIM_PART_HBM_ACTIVATE] = "hbm_activate",
		[PPIM_PART_HBM_READ] = "hbm_read",
		[PPIM_PART_HBM_WRITE] = "hbm_write",
		[PPIM_PART_HBM_REFRESH] = "hbm_refresh",
		[PPIM_PART_HBM_STANDBY] = "hbm_standby",
		[PPIM_PART_DIMM_ACTIVATE] = "dimm_activate",
		[PPIM_PART_DIMM_READ] = "dimm_read",
		[PPIM_PART_DIMM_WRITE] = "dimm_write",
		[PPIM_PART_DIMM_REFRESH] = "dimm_refresh",
		[PPIM_PART_DIMM_STANDBY] = "dimm_standby",
		[PPIM_PART_MAC] = "mac",
		[PPIM_PART_SRAM] = "sram",
		[PPIM_PART_LLC] = "llc",
		[PPIM_PART_BUS] = "bus",
		[PPIM_PART_INTERFACE] = "interface",
		[PPIM_PART_DIMM_INTERFACE] = "dimm_interface",
		[PPIM_PART_LINK] = "link",
	};

	return part < PPIM_PART_COUNT ? names[part] : "?";
}

static int text_find(const char *const *names, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], word))
			return (int)i;
	return -1;
}

/* ---- format ------------------------------------------------------------- */

struct text_out {
	char *buf;
	size_t bytes;
	int n;
};

static __attribute__((format(printf, 2, 3))) void text_put(struct text_out *t,
							   const char *fmt, ...)
{
	size_t at = (size_t)t->n < t->bytes ? (size_t)t->n : t->bytes;
	va_list ap;

	va_start(ap, fmt);
	t->n += vsnprintf(t->buf ? t->buf + at : NULL, t->bytes - at, fmt, ap);
	va_end(ap);
}

static void text_put_dst(struct text_out *t, const struct ppim_pim_cmd *cmd)
{
	if (cmd->dst_device == PPIM_PIM_DST_SELF)
		return;
	text_put(t, " dst=%s:0x%llx",
		 cmd->dst_device == PPIM_PIM_HBM ? "hbm" : "dimm",
		 (unsigned long long)cmd->dst);
}

/* What is not said means bag 0 for RD and TR, none for DR. */
static void text_put_sum(struct text_out *t, const struct ppim_pim_cmd *cmd)
{
	bool move = cmd->op == PPIM_PIM_DR;

	if (cmd->bag == PPIM_PIM_NO_BAG && !move)
		text_put(t, " bag=none");
	else if (cmd->bag != PPIM_PIM_NO_BAG && (cmd->bag || move))
		text_put(t, " bag=%u", cmd->bag);
	if (cmd->op != PPIM_PIM_TR && cmd->mac != PPIM_PIM_MAC_DEFAULT &&
	    (cmd->mac || !move))
		text_put(t, " mac=%llu", (unsigned long long)cmd->mac);
}

int ppim_pim_format(const struct ppim_pim_cmd *cmd, char *buf, size_t bytes)
{
	struct text_out t = { buf, bytes, 0 };

	text_put(&t, "%s %s 0x%llx %llu", devices[cmd->device], ops[cmd->op],
		 (unsigned long long)cmd->addr, (unsigned long long)cmd->n);
	if (cmd->to != PPIM_PIM_TO_DEFAULT)
		text_put(&t, " to=%s", units[cmd->to]);
	if (cmd->op == PPIM_PIM_RD || cmd->op == PPIM_PIM_TR ||
	    cmd->op == PPIM_PIM_DR)
		text_put_sum(&t, cmd);
	if (cmd->op == PPIM_PIM_DR)
		text_put_dst(&t, cmd);
	if (cmd->self)
		text_put(&t, " self");
	if (cmd->cached)
		text_put(&t, " cached");
	return t.n;
}

/* ---- parse -------------------------------------------------------------- */

#define TEXT_WORDS 10
#define TEXT_BYTES 256

struct text_words {
	char buf[TEXT_BYTES];
	char *word[TEXT_WORDS];
	int n;
};

static int text_split(const char *text, struct text_words *w,
		      struct ppim_diag *diag)
{
	size_t len = strcspn(text, "#");
	char *save = NULL, *word;

	if (len >= sizeof(w->buf))
		return engine_fail(diag, -EINVAL,
				   "expected at most %d characters",
				   TEXT_BYTES - 1);
	memcpy(w->buf, text, len);
	w->buf[len] = '\0';
	for (word = strtok_r(w->buf, " \t\r\n", &save); word;
	     word = strtok_r(NULL, " \t\r\n", &save)) {
		if (w->n == TEXT_WORDS)
			return engine_fail(diag, -EINVAL,
					   "expected at most %d columns",
					   TEXT_WORDS);
		w->word[w->n++] = word;
	}
	return 0;
}

static int text_number(const char *word, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return -EINVAL;
	errno = 0;
	*out = strtoull(word, &end, 0);
	return *end || errno ? -EINVAL : 0;
}

/* Nanoseconds with up to three digits behind the point. */
static int text_ps(const char *word, uint64_t *out)
{
	uint64_t ns, scale = 100;
	char *end;

	if (!isdigit((unsigned char)*word))
		return -EINVAL;
	errno = 0;
	ns = strtoull(word, &end, 10);
	if (errno || ns > INT64_MAX / 1000)
		return -EINVAL;
	*out = ns * 1000;
	if (*end == '.')
		for (end++; isdigit((unsigned char)*end) && scale;
		     end++, scale /= 10)
			*out += (uint64_t)(*end - '0') * scale;
	return *end || *out > INT64_MAX ? -EINVAL : 0;
}

static int text_parse_batch(const struct text_words *w,
			    struct ppim_pim_line *out, struct ppim_diag *diag)
{
	uint64_t queue = 0;
	int arch = 0;

	if (w->n >= 4)
		arch = ppim_engine_arch_find(w->word[3]);
	if (w->n < 3 || w->n > 4 || arch < 0 ||
	    text_ps(w->word[1], &out->arrival_ps) ||
	    text_number(w->word[2], &queue) || queue > UINT32_MAX)
		return engine_fail(diag, -EINVAL,
				   "expected '@ ns queue [preset]'");
	out->kind = PPIM_PIM_LINE_BATCH;
	out->queue = (uint32_t)queue;
	out->arch = (uint8_t)arch;
	return 0;
}

static int text_parse_bag(const char *value, struct ppim_pim_cmd *cmd)
{
	uint64_t bag;

	if (!strcmp(value, "none")) {
		cmd->bag = PPIM_PIM_NO_BAG;
		return cmd->op == PPIM_PIM_RD ? 0 : -EINVAL;
	}
	if (text_number(value, &bag) || bag > PPIM_PIM_MAX_BAG)
		return -EINVAL;
	cmd->bag = (uint32_t)bag;
	return cmd->op == PPIM_PIM_RD || cmd->op == PPIM_PIM_TR ||
			       cmd->op == PPIM_PIM_DR
		       ? 0
		       : -EINVAL;
}

static int text_parse_dst(const char *value, struct ppim_pim_cmd *cmd)
{
	cmd->dst_device = PPIM_PIM_HBM;
	if (!strncmp(value, "hbm:", 4)) {
		value += 4;
	} else if (!strncmp(value, "dimm:", 5)) {
		cmd->dst_device = PPIM_PIM_DIMM;
		value += 5;
	}
	return cmd->op == PPIM_PIM_DR ? text_number(value, &cmd->dst) : -EINVAL;
}

static int text_parse_mac(const char *value, struct ppim_pim_cmd *cmd)
{
	if ((cmd->op != PPIM_PIM_RD && cmd->op != PPIM_PIM_DR) ||
	    text_number(value, &cmd->mac))
		return -EINVAL;
	return cmd->mac < 1ull << 48 ? 0 : -EINVAL;
}

static int text_parse_flag(const char *word, struct ppim_pim_cmd *cmd)
{
	if (!strcmp(word, "self") && cmd->op == PPIM_PIM_PR) {
		cmd->self = 1;
		return 0;
	}
	cmd->cached = 1;
	return !strcmp(word, "cached") && cmd->op == PPIM_PIM_RD ? 0 : -EINVAL;
}

static int text_parse_key(char *word, struct ppim_pim_cmd *cmd)
{
	char *value = strchr(word, '=');
	int unit;

	if (!value)
		return text_parse_flag(word, cmd);
	*value++ = '\0';
	if (!strcmp(word, "bag"))
		return text_parse_bag(value, cmd);
	if (!strcmp(word, "dst"))
		return text_parse_dst(value, cmd);
	if (!strcmp(word, "mac"))
		return text_parse_mac(value, cmd);
	if (strcmp(word, "to"))
		return -EINVAL;
	unit = text_find(units, ARRAY_SIZE(units), value);
	cmd->to = (uint8_t)unit;
	return unit > 0 && (cmd->op == PPIM_PIM_RD || cmd->op == PPIM_PIM_DR)
		       ? 0
		       : -EINVAL;
}

/* Which commands a device takes. */
static bool text_device_takes(int device, int op)
{
	if (device == PPIM_PIM_HOST)
		return op == PPIM_PIM_LD || op == PPIM_PIM_OP;
	if (device == PPIM_PIM_LINK)
		return op == PPIM_PIM_DN || op == PPIM_PIM_UP;
	if (device == PPIM_PIM_DIMM)
		return op <= PPIM_PIM_CW && op != PPIM_PIM_PR;
	return op <= PPIM_PIM_CW;
}

static int text_parse_command(struct text_words *w, struct ppim_pim_cmd *cmd,
			      struct ppim_diag *diag)
{
	int device = text_find(devices, ARRAY_SIZE(devices), w->word[0]);
	int op = w->n > 1 ? text_find(ops, ARRAY_SIZE(ops), w->word[1]) : -1;
	char key[TEXT_BYTES];
	int i;

	if (device < 0 || op < 0 || !text_device_takes(device, op) ||
	    w->n < 4 || text_number(w->word[2], &cmd->addr) ||
	    text_number(w->word[3], &cmd->n))
		return engine_fail(diag, -EINVAL,
				   "expected 'HBM RD|PR|TR|DR address bursts' "
				   "or 'DIMM RD|TR|DR address bursts'");
	cmd->device = (uint8_t)device;
	cmd->op = (uint8_t)op;
	cmd->mac = op == PPIM_PIM_DR ? 0 : PPIM_PIM_MAC_DEFAULT;
	cmd->bag = op == PPIM_PIM_DR ? PPIM_PIM_NO_BAG : 0;
	cmd->dst_device = PPIM_PIM_DST_SELF;
	for (i = 4; i < w->n; i++) {
		memcpy(key, w->word[i], strlen(w->word[i]) + 1);
		if (text_parse_key(key, cmd))
			return engine_fail(diag, -EINVAL,
					   "'%.40s': expected bag=N|none, "
					   "mac=N, to=bg|rank|base|host, "
					   "dst=[hbm:|dimm:]address, self or "
					   "cached where %s takes it",
					   w->word[i], w->word[1]);
	}
	return 0;
}

int ppim_pim_parse(const char *text, struct ppim_pim_line *out,
		   struct ppim_diag *diag)
{
	struct text_words w = { .n = 0 };
	int err;

	memset(out, 0, sizeof(*out));
	err = text_split(text, &w, diag);
	if (err)
		return err;
	if (!w.n) {
		out->kind = strchr(text, '#') ? PPIM_PIM_LINE_COMMENT
					      : PPIM_PIM_LINE_PHASE;
		return 0;
	}
	if (!strcmp(w.word[0], "@"))
		return text_parse_batch(&w, out, diag);
	out->kind = PPIM_PIM_LINE_COMMAND;
	return text_parse_command(&w, &out->cmd, diag);
}
