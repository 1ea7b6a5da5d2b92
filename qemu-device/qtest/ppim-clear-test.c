// SPDX-License-Identifier: GPL-2.0-only
/* PPIM_ADM_CLEAR: a range becomes zero, its neighbours stay. */

#include "qemu/osdep.h"
#include "ppim-qtest.h"

#define SPAN	(1u << 20)	/* of the tier, filled before */

struct clear_range {
	const char *name;
	uint8_t tier;
	uint16_t slice;
	uint64_t offset, bytes;
};

/* Whole pages, parts of pages at one end and both, less than a page. */
static const struct clear_range ranges[] = {
	{ "hbm-pages", PPIM_TIER_HBM, 0, 0x10000, 0x20000 },
	{ "hbm-ragged", PPIM_TIER_HBM, 1, 0x10040, 0x20080 },
	{ "dimm-begins-ragged", PPIM_TIER_DIMM, 0, 0x1fc0, 0x10040 },
	{ "dimm-ends-ragged", PPIM_TIER_DIMM, 0, 0x2000, 0x10001 },
	{ "dimm-small", PPIM_TIER_DIMM, 0, 0x3001, 100 },
	{ "dimm-byte", PPIM_TIER_DIMM, 0, 0x3fff, 1 },
};

static struct ppim_hw_sqe clear_sqe(const struct clear_range *r)
{
	return (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_CLEAR,
		.copy.data.bytes = cpu_to_le64(r->bytes),
		.copy.tier = r->tier,
		.copy.slice = cpu_to_le16(r->slice),
		.copy.offset = cpu_to_le64(r->offset),
	};
}

static uint64_t range_base(struct ppim_dev *d, const struct clear_range *r)
{
	return r->tier == PPIM_TIER_DIMM ? PPIM_TEST_DIMM :
		PPIM_TEST_HBM + r->slice * d->slice_bytes;
}

static void span_check(const struct clear_range *r, const uint8_t *got)
{
	uint64_t i;

	for (i = 0; i < SPAN; i++) {
		bool in = i >= r->offset && i - r->offset < r->bytes;

		if (got[i] != (in ? 0 : 0x5a))
			g_error("byte 0x%" PRIx64 " is 0x%x", i, got[i]);
	}
}

static void test_range(struct ppim_dev *d, const void *arg)
{
	const struct clear_range *r = arg;
	g_autofree uint8_t *got = g_malloc(SPAN);
	uint64_t base = range_base(d, r);
	struct ppim_hw_cqe cqe;

	qtest_memset(d->qts, base, 0x5a, SPAN);
	cqe = ppim_admin(d, clear_sqe(r));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_get(d, base, got, SPAN);
	span_check(r, got);
	ppim_assert_works(d);
}

/* What the memory held before does not come back with what is stored later. */
static void test_stores_after(struct ppim_dev *d, const void *arg)
{
	const struct clear_range *r = &ranges[0];
	uint64_t at = range_base(d, r) + r->offset, v = 0x1122334455667788ull;
	struct ppim_hw_cqe cqe;

	qtest_memset(d->qts, at, 0x5a, r->bytes);
	cqe = ppim_admin(d, clear_sqe(r));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	qtest_writeq(d->qts, at + 0x1000, v);
	g_assert_cmphex(qtest_readq(d->qts, at + 0x1000), ==, v);
	g_assert_cmphex(qtest_readq(d->qts, at + 0x1008), ==, 0);
}

/* A whole tier in one command. */
static void test_whole_dimm(struct ppim_dev *d, const void *arg)
{
	struct clear_range r = { .tier = PPIM_TIER_DIMM,
				 .bytes = d->dimm_bytes };
	struct ppim_hw_cqe cqe;

	qtest_writeq(d->qts, PPIM_TEST_DIMM, ~0ull);
	qtest_writeq(d->qts, PPIM_TEST_DIMM + d->dimm_bytes - 8, ~0ull);
	cqe = ppim_admin(d, clear_sqe(&r));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	g_assert_cmphex(qtest_readq(d->qts, PPIM_TEST_DIMM), ==, 0);
	g_assert_cmphex(qtest_readq(d->qts, PPIM_TEST_DIMM + d->dimm_bytes - 8),
			==, 0);
}

static void refused(struct ppim_dev *d, struct ppim_hw_sqe sqe, uint16_t status,
		    uint64_t detail)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, sqe);

	ppim_assert_cqe(&cqe, status, detail);
}

#define AT(field) offsetof(struct ppim_hw_sqe, copy.field)

static void test_bad(struct ppim_dev *d, const void *arg)
{
	const struct clear_range *r = &ranges[0];
	struct ppim_hw_sqe sqe;

#define REFUSED(field, value, status, detail)		\
	do {						\
		sqe = clear_sqe(r);			\
		sqe.copy.field = (value);		\
		refused(d, sqe, (status), (detail));	\
	} while (0)
	qtest_memset(d->qts, PPIM_TEST_HBM, 0x5a, SPAN);
	REFUSED(data.addr, cpu_to_le64(64), PPIM_ST_BAD_FIELD, AT(data.addr));
	REFUSED(data.n_sg, cpu_to_le32(1), PPIM_ST_BAD_FIELD, AT(data.n_sg));
	REFUSED(data.reserved, cpu_to_le32(1), PPIM_ST_BAD_FIELD,
		AT(data.reserved));
	REFUSED(data.bytes, 0, PPIM_ST_BAD_FIELD, AT(data.bytes));
	REFUSED(reserved0, 1, PPIM_ST_BAD_FIELD, AT(reserved0));
	REFUSED(reserved1, cpu_to_le32(1), PPIM_ST_BAD_FIELD, AT(reserved1));
	REFUSED(tier, PPIM_TIER_HOST + 1, PPIM_ST_BAD_FIELD, AT(tier));
	REFUSED(tier, PPIM_TIER_CXL, PPIM_ST_UNSUPPORTED, AT(tier));
	REFUSED(slice, cpu_to_le16(d->slices), PPIM_ST_BAD_PLACEMENT, 0);
	REFUSED(offset, cpu_to_le64(d->slice_bytes), PPIM_ST_BAD_PLACEMENT, 0);
	REFUSED(offset, cpu_to_le64(~0ull), PPIM_ST_BAD_PLACEMENT, 0);
	REFUSED(data.bytes, cpu_to_le64(~0ull), PPIM_ST_BAD_PLACEMENT, 0);
	REFUSED(data.bytes, cpu_to_le64(d->slice_bytes), PPIM_ST_BAD_PLACEMENT,
		0);
	g_assert_cmphex(qtest_readq(d->qts, PPIM_TEST_HBM + r->offset), ==,
			0x5a5a5a5a5a5a5a5aull);
	ppim_assert_works(d);
}

/* None is lost. */
static void test_many(struct ppim_dev *d, const void *arg)
{
	uint32_t n = d->admin.entries - 1, i;
	struct ppim_hw_sqe sqe;
	struct ppim_hw_cqe cqe;

	for (i = 0; i < n; i++) {
		sqe = clear_sqe(&ranges[i % ARRAY_SIZE(ranges)]);
		ppim_push(d, &d->admin, &sqe);
	}
	ppim_ring_doorbell(d, &d->admin);
	for (i = 0; i < n; i++) {
		g_assert_true(ppim_wait(d, &d->admin, &cqe));
		ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
		ppim_ack(d, &d->admin);
	}
	ppim_assert_works(d);
}

#define MOST	(256 + 64)	/* PPIM_INFLIGHT_MAX + PPIM_CLEARS_MAX */
#define BEYOND	80

static void admin_ring_start(struct ppim_dev *d, uint32_t entries)
{
	ppim_ring_init(d, &d->admin, 0, entries);
	ppim_writel(d, PPIM_REG_AQ_ENTRIES, entries);
	ppim_writeq(d, PPIM_REG_ASQ, d->admin.sq);
	ppim_writeq(d, PPIM_REG_ACQ, d->admin.cq);
	ppim_writel(d, PPIM_REG_CTRL, PPIM_CTRL_ENABLE);
	ppim_assert_alive(d);
}

static uint32_t clears_take(struct ppim_dev *d, uint16_t status,
			    uint64_t detail)
{
	struct ppim_hw_cqe cqe;
	uint32_t n = 0;

	while (ppim_poll(d, &d->admin, &cqe)) {
		ppim_assert_cqe(&cqe, status, detail);
		n++;
	}
	return n;
}

/* However long the admin queue is, what may be in flight does not grow with
 * it. In a stopped machine nothing completes. */
static void test_beyond(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "queue-entries=1024");
	struct ppim_hw_sqe sqe = clear_sqe(&ranges[0]);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	admin_ring_start(d, 1024);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'stop' }");
	for (i = 0; i < MOST + BEYOND; i++)
		ppim_push(d, &d->admin, &sqe);
	ppim_ring_doorbell(d, &d->admin);
	g_assert_cmpuint(clears_take(d, PPIM_ST_TOO_LARGE, MOST), ==, BEYOND);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	for (i = 0; i < MOST; i++) {
		g_assert_true(ppim_wait(d, &d->admin, &cqe));
		ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	}
	ppim_dev_quit(d);
}

static void test_reset(struct ppim_dev *d, const void *arg)
{
	struct clear_range r = { .tier = PPIM_TIER_DIMM,
				 .bytes = d->dimm_bytes };
	struct ppim_hw_sqe sqe = clear_sqe(&r);

	ppim_push(d, &d->admin, &sqe);
	ppim_ring_doorbell(d, &d->admin);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

static void register_tests(void)
{
	g_autofree char *name = NULL;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		g_free(name);
		name = g_strdup_printf("clear/range/%s", ranges[i].name);
		ppim_add_variant_test(name, test_range, &ranges[i]);
	}
	ppim_add_test("clear/stores-after", test_stores_after, NULL);
	ppim_add_test("clear/whole-dimm", test_whole_dimm, NULL);
	ppim_add_test("clear/bad", test_bad, NULL);
	ppim_add_test("clear/many", test_many, NULL);
	ppim_add_test("clear/beyond", test_beyond, NULL);
	ppim_add_test("clear/reset", test_reset, NULL);
}

libqos_init(register_tests);
