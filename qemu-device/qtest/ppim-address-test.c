// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses where no guest memory is: each kind of pointer that a batch has,
 * at each kind of place that a hostile or broken driver could name.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/pci/pci_regs.h"
#include "ppim-qtest.h"

/* Memory is looked for in all of the buffer: what begins in it may end
 * elsewhere. */
enum place {
	UNMAPPED,		/* nothing answers */
	OWN_REGS,		/* doorbells: must not ring */
	OWN_MSIX,
	OWN_HBM,		/* RAM, but behind a BAR */
	OWN_DIMM,
	RAM_END,		/* the last bytes of RAM, and what follows */
	TOP,			/* wraps around the address space */
	/* behind a DMA remapping unit */
	NOT_MAPPED,
	READ_ONLY,
	WRITE_ONLY,
	TO_OWN_REGS,		/* a mapping that leads there */
	TO_OWN_HBM,
	MAPPING_END,		/* the last bytes of a page, the next is missing */
};

static const struct {
	const char *name;
	enum place place;
} places[] = {
	{ "unmapped", UNMAPPED }, { "own-registers", OWN_REGS },
	{ "own-msix", OWN_MSIX }, { "own-hbm", OWN_HBM },
	{ "own-dimm", OWN_DIMM }, { "ram-end", RAM_END }, { "top", TOP },
};

static const struct {
	const char *name;
	enum place place;
} mappings[] = {
	{ "none", NOT_MAPPED }, { "read-only", READ_ONLY },
	{ "write-only", WRITE_ONLY }, { "own-registers", TO_OWN_REGS },
	{ "own-hbm", TO_OWN_HBM }, { "end", MAPPING_END },
};

enum pointer {
	JOBS, ANNOTATION, CONTEXT, EXTENTS, SG_LIST, SG_CHAIN, SG_DATA,
	INDICES, OFFSETS, WEIGHTS, OUTPUT, COPY_FROM, COPY_TO,
};

static const struct {
	const char *name;
	enum pointer pointer;
} pointers[] = {
	{ "jobs", JOBS }, { "annotation", ANNOTATION }, { "context", CONTEXT },
	{ "extents", EXTENTS }, { "list", SG_LIST }, { "chain", SG_CHAIN },
	{ "entry", SG_DATA }, { "indices", INDICES }, { "offsets", OFFSETS },
	{ "weights", WEIGHTS }, { "output", OUTPUT },
	{ "copy-from", COPY_FROM }, { "copy-to", COPY_TO },
};

struct address_case {
	enum place place;
	enum pointer pointer;
};

static uint64_t place_addr(enum place place)
{
	switch (place) {
	case OWN_REGS:
		return PPIM_TEST_REGS + PPIM_DB_BASE;
	case OWN_MSIX:
		return PPIM_TEST_MSIX;
	case OWN_HBM:
		return PPIM_TEST_HBM + 4096;
	case OWN_DIMM:
		return PPIM_TEST_DIMM + 4096;
	case RAM_END:
		return ((uint64_t)PPIM_TEST_RAM_MB << 20) - 16;
	case TOP:
		return -16ull;
	case NOT_MAPPED ... TO_OWN_HBM:
		return PPIM_TEST_REMAPPED + (place - NOT_MAPPED) * 4096;
	case MAPPING_END:
		return PPIM_TEST_REMAPPED + 6 * 4096 - 16;
	default:
		return PPIM_TEST_UNMAPPED;
	}
}

/* The list of the indices: entry `i` of its first array gets the address. */
static void list_spoil(struct ppim_dev *d, struct ppim_test_batch *b,
		       uint32_t i, uint64_t addr)
{
	uint64_t at = le64_to_cpu(b->hw[0].indices.addr) +
		      i * sizeof(struct ppim_hw_sg);

	qtest_writeq(d->qts, at, addr);
}

/* Where the processor finds the page of MAPPING_END and those that it maps in
 * part; see mappings_make(). */
#define REMAPPED_PAGE	(place_addr(RAM_END) & ~8191ull)

/* A list that begins at the end of RAM, or of a mapping, has one good entry
 * there. */
static void list_move(struct ppim_dev *d, const struct ppim_test_batch *b)
{
	struct ppim_hw_sg sg;

	ppim_get(d, le64_to_cpu(b->hw[0].indices.addr), &sg, sizeof(sg));
	ppim_put(d, place_addr(RAM_END), &sg, sizeof(sg));
	ppim_put(d, REMAPPED_PAGE + 4096 - 16, &sg, sizeof(sg));
}

static void batch_spoil(struct ppim_dev *d, struct ppim_test_batch *b,
			enum pointer pointer, uint64_t addr)
{
	struct ppim_test_table *t = b->job[0].table;
	struct ppim_hw_job *hw = &b->hw[0];
	uint64_t le = cpu_to_le64(addr);

	switch (pointer) {
	case JOBS:
		b->sqe.gnr.jobs = le;
		break;
	case ANNOTATION:
		b->sqe.gnr.annotation = le;
		break;
	case CONTEXT:
		hw->table = le;
		break;
	case EXTENTS:
		t->hw.sub[0].extents = le;
		ppim_put(d, t->addr, &t->hw, sizeof(t->hw));
		break;
	case SG_LIST:
		hw->indices.addr = le;
		break;
	case SG_CHAIN:
		list_spoil(d, b, 3, addr);
		break;
	case SG_DATA:
		list_spoil(d, b, 1, addr);
		break;
	case INDICES:
		hw->indices.addr = le;
		break;
	case OFFSETS:
		hw->offsets.addr = le;
		break;
	case WEIGHTS:
		hw->weights.addr = le;
		break;
	default:
		hw->output.addr = le;
	}
	ppim_batch_send(d, b);
}

static void windows_fill(struct ppim_dev *d)
{
	ppim_fill(d, PPIM_TEST_HBM + 4096, 4096);
	ppim_fill(d, PPIM_TEST_DIMM + 4096, 4096);
}

static bool windows_untouched(struct ppim_dev *d)
{
	return ppim_untouched(d, PPIM_TEST_HBM + 4096, 4096) &&
	       ppim_untouched(d, PPIM_TEST_DIMM + 4096, 4096);
}

static void batch_case(struct ppim_dev *d, const struct address_case *c)
{
	struct ppim_shape shape = ppim_shape_qr(100, 16, 4, PPIM_COMBINE_MULT,
						PPIM_QR_PER_INDEX);
	struct ppim_test_table *t;
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;

	d->used_slice = d->used_dimm = 8192;
	t = ppim_table_new(d, &shape, 12, PPIM_LAYOUT_STRIPED,
			   PPIM_LAYOUT_COPIES);
	ppim_job_random(&job, t, 6, 40, 13);
	job.flags = PPIM_JOBF_WEIGHTS;
	job.scattered = c->pointer == SG_LIST || c->pointer == SG_CHAIN ||
			c->pointer == SG_DATA;
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	if (job.scattered)
		list_move(d, b);
	batch_spoil(d, b, c->pointer, place_addr(c->place));
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_ANY);
	/* what comes before the annotation has been written by then */
	if (c->pointer != ANNOTATION)
		g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

static void copy_case(struct ppim_dev *d, const struct address_case *c)
{
	struct ppim_hw_cqe cqe = ppim_run(d, &d->io, (struct ppim_hw_sqe){
		.opcode = c->pointer == COPY_FROM ? PPIM_OP_WRITE :
						    PPIM_OP_READ,
		.copy.data.addr = cpu_to_le64(place_addr(c->place)),
		.copy.data.bytes = cpu_to_le64(1000),
		.copy.offset = cpu_to_le64(4096),
	});

	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_ANY);
}

static void test_address(struct ppim_dev *d, const void *arg)
{
	const struct address_case *c = arg;

	windows_fill(d);
	if (c->pointer == COPY_FROM || c->pointer == COPY_TO)
		copy_case(d, c);
	else
		batch_case(d, c);
	ppim_assert_alive(d);
	g_assert_true(windows_untouched(d));
	ppim_assert_works(d);
}

/* ---- behind a DMA remapping unit ----------------------------------------- */

static struct ppim_dev *remapped_start(void)
{
	struct ppim_dev *d = ppim_dev_spawn("-device intel-iommu", "");
	const uint32_t all = PPIM_IOMMU_READ | PPIM_IOMMU_WRITE;

	ppim_iommu_start(d);
	ppim_iommu_map(d, READ_ONLY - NOT_MAPPED, REMAPPED_PAGE,
		       PPIM_IOMMU_READ);
	ppim_iommu_map(d, WRITE_ONLY - NOT_MAPPED, REMAPPED_PAGE,
		       PPIM_IOMMU_WRITE);
	ppim_iommu_map(d, TO_OWN_REGS - NOT_MAPPED,
		       PPIM_TEST_REGS + PPIM_DB_BASE, all);
	ppim_iommu_map(d, TO_OWN_HBM - NOT_MAPPED, PPIM_TEST_HBM + 4096, all);
	ppim_iommu_map(d, MAPPING_END - NOT_MAPPED, REMAPPED_PAGE, all);
	ppim_dev_start(d);
	return d;
}

static bool pointer_is_written(enum pointer pointer)
{
	return pointer == ANNOTATION || pointer == OUTPUT || pointer == COPY_TO;
}

static bool place_refuses(enum place place, enum pointer pointer)
{
	if (place == READ_ONLY)
		return pointer_is_written(pointer);
	return place != WRITE_ONLY || !pointer_is_written(pointer);
}

/* Every pointer at such a mapping: an error, and the device goes on. */
static void test_mapping(struct ppim_dev *plain, const void *arg)
{
	struct address_case c = { .place = *(const enum place *)arg };
	struct ppim_dev *d = remapped_start();
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(pointers); i++) {
		c.pointer = pointers[i].pointer;
		if (!place_refuses(c.place, c.pointer))
			continue;
		g_test_message("%s", pointers[i].name);
		test_address(d, &c);
	}
	ppim_dev_quit(d);
}

/* A page that goes while the batch is in flight. */
static void test_unmapped_in_flight(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = remapped_start();
	uint64_t at = ppim_iommu_map(d, 8, REMAPPED_PAGE,
				     PPIM_IOMMU_READ | PPIM_IOMMU_WRITE);
	struct ppim_hw_sqe sqe = {
		.opcode = PPIM_OP_READ,
		.copy.data.addr = cpu_to_le64(at),
		.copy.data.bytes = cpu_to_le64(4096),
	};
	struct ppim_hw_cqe cqe;

	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_push(d, &d->io, &sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_iommu_map(d, 8, 0, 0);
	ppim_wait(d, &d->io, &cqe);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, at);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

/* Without its queues there is nobody to tell: the device stops, and says so in
 * its registers. */
static void test_queue_unmapped(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = remapped_start();
	struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };
	struct ppim_ring r;

	ppim_ring_init(d, &r, 2, 16);
	r.cq = PPIM_TEST_REMAPPED;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	ppim_push(d, &r, &nop);
	ppim_ring_doorbell(d, &r);
	ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

/* -------------------------------------------------------------------------- */

/* The detail is an address that could not be reached. */
static void test_detail(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe;
	struct ppim_hw_sqe sqe = {
		.opcode = PPIM_OP_GNR,
		.gnr.jobs = cpu_to_le64(PPIM_TEST_UNMAPPED),
		.gnr.n_jobs = cpu_to_le32(1),
	};

	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_TEST_UNMAPPED);
	sqe.gnr.jobs = cpu_to_le64(((uint64_t)PPIM_TEST_RAM_MB << 20) - 64);
	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS,
			(uint64_t)PPIM_TEST_RAM_MB << 20);
}

/* Outputs may overlap each other and inputs: the guest's own memory, its own
 * fault, and nobody else's. */
static void test_overlap(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_dense(50, 16);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 12,
						   PPIM_LAYOUT_ONE,
						   PPIM_LAYOUT_ONE);
	struct ppim_test_job job[2];
	struct ppim_test_batch *b;
	struct ppim_hw_cqe cqe;

	ppim_job_random(&job[0], t, 4, 10, 1);
	ppim_job_random(&job[1], t, 4, 10, 2);
	b = ppim_batch_new(d, job, 2, PPIM_ARCH_BGPIM);
	b->hw[0].output.addr = b->hw[0].indices.addr;
	b->hw[1].output.addr = cpu_to_le64(b->jobs_addr);
	ppim_batch_send(d, b);
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_batch_free(b);
	ppim_job_free(&job[0]);
	ppim_job_free(&job[1]);
	ppim_table_free(t);
	ppim_assert_works(d);
}

/* Without bus mastering there is no memory: the first access to a queue ends
 * it, and a reset with bus mastering back begins anew. */
static void test_bus_master(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };

	qpci_config_writew(&d->pci, PCI_COMMAND, PCI_COMMAND_MEMORY);
	ppim_push(d, &d->io, &nop);
	ppim_ring_doorbell(d, &d->io);
	ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
	qpci_config_writew(&d->pci, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

static void register_tests(void)
{
	static struct address_case cases[ARRAY_SIZE(pointers)]
					[ARRAY_SIZE(places)];
	uint32_t i, k;

	for (i = 0; i < ARRAY_SIZE(pointers); i++) {
		for (k = 0; k < ARRAY_SIZE(places); k++) {
			g_autofree char *path =
				g_strdup_printf("address-%s/%s",
						places[k].name,
						pointers[i].name);

			cases[i][k] = (struct address_case){
				places[k].place, pointers[i].pointer
			};
			ppim_add_test(path, test_address, &cases[i][k]);
		}
	}
	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		g_autofree char *path = g_strdup_printf("address-mapping/%s",
							mappings[i].name);

		ppim_add_test(path, test_mapping, &mappings[i].place);
	}
	ppim_add_test("address-mapping/unmapped-in-flight",
		      test_unmapped_in_flight, NULL);
	ppim_add_test("address-mapping/queue-unmapped", test_queue_unmapped,
		      NULL);
	ppim_add_test("address/detail", test_detail, NULL);
	ppim_add_test("address/overlap", test_overlap, NULL);
	ppim_add_test("address/bus-master-off", test_bus_master, NULL);
}

libqos_init(register_tests);
