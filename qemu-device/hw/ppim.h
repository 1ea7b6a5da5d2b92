/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ppim device: what its files share.
 *
 * Locks. Everything in PPIMState belongs to the big QEMU lock. Worker threads
 * (ppim_work.c) see a command between ppim_work_submit() and the moment it is
 * done, under the pool's lock; they touch private copies and the memory
 * backends' bytes, never guest memory and never PPIMState.
 */
#ifndef HW_MISC_PPIM_H
#define HW_MISC_PPIM_H

#include "qemu/coroutine.h"
#include "qemu/queue.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "system/hostmem.h"
#include "ppim_hw.h"
#include "ppim-engine/engine.h"

#define TYPE_PPIM "ppim"
OBJECT_DECLARE_SIMPLE_TYPE(PPIMState, PPIM)

#define PPIM_QUEUES_MAX		128	/* property "queues" */
#define PPIM_ENTRIES_MAX	32768	/* property "queue-entries" */
#define PPIM_TABLES_MAX		128	/* tables of one batch */
#define PPIM_INDICES_MAX	(1u << 20)	/* indices, and bags, of one batch */
#define PPIM_EXTENTS_MAX	4096	/* extents of one subtable */
#define PPIM_SG_MAX		16384	/* scatter entries of one buffer */
#define PPIM_OUTPUT_MAX		(64u << 20)	/* bytes that one batch writes */
#define PPIM_COPY_MAX		(16u << 20)	/* bytes of one WRITE or READ */
#define PPIM_ALIGN		64
/* A command reads at most so much guest memory, all its parts together. */
#define PPIM_FETCH_MAX		(32u << 20)
/* Admission stops here until commands complete. */
#define PPIM_INFLIGHT_MAX	256
#define PPIM_INFLIGHT_BYTES	(256u << 20)
/* What is in flight is looked through at each completion: so many CLEARs, which
 * no admission holds up, may come on top. */
#define PPIM_CLEARS_MAX		64
/* Guest memory that one visit of the main loop reads or writes, some two
 * milliseconds' worth, give or take a piece: then the rest is for the next. */
#define PPIM_VISIT_BYTES	(4u << 20)
#define PPIM_PIECE_BYTES	(1u << 20)
/* What a command may read and what a visit may move: either counts an access,
 * and a segment of a scatter list, for at least so many bytes, which is what
 * finding the address costs; a visit so many for each page as well that a
 * remapping unit translates. */
#define PPIM_ACCESS_BYTES	1024
#define PPIM_POISON_MAX		64
/* Of the model, as it travels: mostly the tags of caches. */
#define PPIM_STATE_MAX		(256u << 20)
#define PPIM_THREADS_MAX	64	/* property "threads" */
#define PPIM_SRAM_DEFAULT	UINT64_MAX	/* property "sram" not given */

struct ppim_seg {
	uint64_t addr;
	uint64_t bytes;
};

/* A guest buffer, its scatter list resolved. */
struct ppim_buf {
	uint64_t bytes;
	int32_t n_segs;
	int32_t max_segs;
	struct ppim_seg *segs;
};

/* An injected memory error. */
struct ppim_poison {
	uint64_t offset;	/* a byte of the slice or of the DIMM */
	uint32_t count;		/* commands that are still to meet it */
	uint16_t slice;
	uint8_t tier;
	bool correctable;
	bool met;		/* by the command in the gate */
};

struct ppim_poison_set {
	uint32_t n;
	struct ppim_poison at[PPIM_POISON_MAX];
};

enum ppim_dump_kind {
	PPIM_DUMP_REPLAY,	/* batches, for ppim-sim gnr --replay */
	PPIM_DUMP_TRACE,	/* commands, for ppim-sim pim */
	PPIM_DUMPS
};

/* Where a dump goes from now on; file NULL ends it. */
struct ppim_dump_file {
	enum ppim_dump_kind kind;
	FILE *file;
};

enum ppim_cmd_kind {
	PPIM_CMD_NOP,		/* and whatever is refused at the doorbell */
	PPIM_CMD_GNR,
	PPIM_CMD_WRITE,
	PPIM_CMD_READ,
	PPIM_CMD_CLEAR,
	PPIM_CMD_POISON,	/* injects a memory error */
	PPIM_CMD_DUMP,		/* begins or ends a dump */
	PPIM_CMD_RESET,		/* not a guest's: puts the engine back */
};

/* A job's private inputs, and its output; of a READ the latter alone. */
struct ppim_cmd_job {
	struct ppim_table_desc table;
	struct ppim_extent *extents[PPIM_MAX_SUBTABLES];
	uint8_t index_bytes;
	void *indices, *offsets;	/* as the guest gave them, then int64 */
	float *weights;
	struct ppim_buf out;
	uint8_t *output;	/* out.bytes of what goes there */
	uint32_t output_bytes;	/* the same, while it travels */
};

/* Bags of one job: the unit in which workers share a batch. */
struct ppim_unit {
	uint32_t job;
	uint32_t first_bag, n_bags;
	uint32_t lookups;
};

struct ppim_cmd {
	uint32_t kind;		/* enum ppim_cmd_kind */
	uint16_t qid, cid;
	uint32_t generation;
	uint64_t fetched;	/* bytes read from guest memory */
	uint64_t bytes;		/* private memory held */
	uint64_t annotation_addr;

	/* GNR: jobs[] points into own[] */
	struct ppim_batch batch;
	struct ppim_job *jobs;
	uint64_t bags;
	int32_t n_own;		/* GNR: n_jobs, READ: 1 */
	int32_t saved_own;	/* the same, while it travels */
	struct ppim_cmd_job *own;

	/* WRITE, READ, CLEAR */
	uint64_t copy_bytes;
	uint8_t *data;		/* WRITE */
	uint64_t copy_offset;	/* in the tier */
	uint8_t copy_tier;

	struct ppim_poison poison;
	struct ppim_dump_file dump;

	/* result */
	uint32_t corrected;
	struct ppim_fault fault;
	struct ppim_annotation note;
	uint64_t arrival_ps;	/* device timeline */

	/* BQL: time and order (ppim_time.c) */
	QTAILQ_ENTRY(ppim_cmd) link;	/* in flight, or waiting for a CQ slot */
	uint64_t admit_ps;	/* guest's clock at the doorbell */
	uint64_t least_ps;	/* that it takes at least; icount only */
	uint64_t end_ps;	/* guest's clock; valid if timed */
	uint64_t done_ps;	/* guest's clock when the workers were seen ready */
	int32_t check_job;	/* outputs before this one can be written, */
	uint64_t check_bytes;	/* and so much of this one */
	int32_t out_job;	/* outputs before this one are written, */
	uint64_t out_bytes;	/* and so much of this one */
	bool timed;
	bool hung;		/* injected: never ends, */
	bool lost, doubled;	/* no completion, two */

	/* pool's lock (ppim_work.c) */
	QSIMPLEQ_ENTRY(ppim_cmd) order;
	QSIMPLEQ_ENTRY(ppim_cmd) shared;
	QLIST_ENTRY(ppim_cmd) drop;
	struct ppim_unit *units;
	uint32_t n_units, next_unit, units_left;
	uint32_t grain;		/* lookups that a worker takes at once */
	bool charged;
	bool done;		/* set last; then the pool has forgotten it */
	bool skip;		/* reset: not worth working at */
	bool orphan;		/* nobody waits: the worker frees it, */
	bool dropped;		/* ... and until then it counts as held */
};

typedef QTAILQ_HEAD(, ppim_cmd) ppim_cmd_list;

struct ppim_queue {
	bool live;
	uint16_t vector;
	uint32_t entries;
	uint64_t sq, cq;
	uint32_t sq_head, sq_tail, cq_head, cq_tail;
	bool phase;
	uint64_t submitted, completed, errors, lookups, busy_ps;
	ppim_cmd_list waiting;	/* completed, the CQ is full */
};

/* A request to inject a fault; see enum ppim_hw_inject. */
struct ppim_inject {
	uint32_t what, count;
	uint8_t tier;
	uint16_t slice;
	uint64_t offset;
};

/* A command whose inputs are being read (ppim_load.c). */
struct ppim_loading {
	Coroutine *co;		/* NULL when it has come to its end */
	struct ppim_cmd *cmd;	/* NULL: there is none */
	struct ppim_hw_sqe sqe;
	int verdict;		/* of io_load() */
	bool at_once;		/* without another visit */
	/* the access that it waits for, and what came of it */
	uint64_t addr, bytes, bad;
	void *buf;
	int ret;
};

/* Faults that wait for their next commands. */
struct ppim_pending {
	uint32_t hang, drop, doubled;
	bool link;		/* to be lost when the command has completed */
};

/* What has to wait for the end of a visit (ppim_visit.c). */
enum ppim_late {
	PPIM_LATE_VISIT,	/* another one, by bottom half */
	PPIM_LATE_DISCARD,	/* of all commands: a failure */
	PPIM_LATE_RESET,
	PPIM_LATE_FINISH,	/* what a stopped machine leaves undone */
	PPIM_LATE_EXIT,
	PPIM_LATE_COUNT
};

struct ppim_visit {
	bool lasts;
	bool guarded;		/* by the memory core, before it began */
	uint32_t late;		/* bit 1 << enum ppim_late */
	uint64_t bytes;		/* used up of PPIM_VISIT_BYTES */
	int64_t begin_ns;	/* host's clock */
	uint64_t max_bytes;	/* most that one visit used, and */
	int64_t max_ns;		/* longest that the main loop was kept */
};

/* Writes of I/O queues' doorbells: each of them left the guest. */
struct ppim_doorbells {
	uint64_t sq, cq;
};

struct ppim_pool;

struct PPIMState {
	PCIDevice parent_obj;

	MemoryRegion regs, hbm_bar, dimm_bar;

	/* properties */
	HostMemoryBackend *hbm_memdev, *dimm_memdev;
	char *hbm_spec, *dimm_spec, *arch_name, *timebase_name, *params_text;
	char *dump_path[PPIM_DUMPS];
	uint32_t n_queues, max_entries, n_threads;
	uint64_t sram;
	bool timing, charge_copies;
	uint32_t charges;	/* the latter, as it is compared */

	/* fixed at realize */
	struct ppim_pool *pool;
	struct ppim_geometry geo;
	struct ppim_memory mem;
	uint32_t arch_default;
	uint32_t timebase;
	uint64_t cap;

	/* registers */
	uint32_t ctrl, status, error, aq_entries;
	uint64_t asq, acq;

	struct ppim_queue queue[PPIM_QUEUES_MAX + 1];
	struct ppim_loading loading;
	struct ppim_hw_stats stats;	/* host order */
	struct ppim_doorbells doorbells;
	struct ppim_pending pending;
	struct ppim_poison_set poison;	/* while it travels: the pool's */

	/* time */
	QEMUTimer *timer;
	VMChangeStateEntry *vmstate;
	QEMUBH *bh;		/* workers have finished something; not icount */
	bool stalled;		/* entries wait for admission */
	ppim_cmd_list inflight;	/* in order of admission */
	uint8_t *engine_blob;	/* while it travels (ppim_vmstate.c) */
	uint32_t engine_bytes;
	uint32_t n_inflight;
	uint64_t inflight_bytes;
	uint64_t zero_ps;	/* guest's clock when the device was enabled */
	uint64_t chain_ps;	/* guest's clock at the end of timed work */
	uint64_t now_ps;	/* device timeline, of what has completed */
	struct ppim_visit visit;
	bool half_loaded;	/* a stream is being read, or was refused */
	uint64_t *slice_lookups;	/* while it travels: the pool's */
	uint32_t n_slice_lookups;
};

#define PPIM_GUEST_ERR(fmt, ...) \
	qemu_log_mask(LOG_GUEST_ERROR, "ppim: " fmt "\n", ## __VA_ARGS__)

/* Enabled, ready and not fatal: guest memory may be touched. */
static inline bool ppim_running(const PPIMState *s)
{
	return s->status == PPIM_STS_READY;
}

/* ppim.c */
void ppim_reset(PPIMState *s);
void ppim_fatal(PPIMState *s, enum ppim_hw_error error);

/* What an engine is made from; the pointers lead into the same structure. */
struct ppim_config {
	struct ppim_spec hbm, dimm;
	struct ppim_engine_config engine;
};

/* ppim_config.c */
bool ppim_config_check(PPIMState *s, Error **errp);
bool ppim_config_arch(const char *name, uint32_t *arch, Error **errp);
bool ppim_config_load(PPIMState *s, struct ppim_config *c, Error **errp);
struct ppim_engine *ppim_config_engine(const struct ppim_config *c,
				       Error **errp);

/* ppim_regs.c */
extern const MemoryRegionOps ppim_regs_ops;

/* ppim_dma.c: 0, or -1 (with *bad, where there is one, the address) */
int ppim_dma_read(PPIMState *s, uint64_t addr, void *buf, uint64_t bytes,
		  uint64_t *bad);
int ppim_dma_write(PPIMState *s, uint64_t addr, const void *buf,
		   uint64_t bytes);
int coroutine_fn ppim_buf_load(PPIMState *s, struct ppim_cmd *cmd,
			       const struct ppim_hw_buf *hw, uint64_t field,
			       struct ppim_buf *buf);
int coroutine_fn ppim_buf_read(PPIMState *s, struct ppim_cmd *cmd,
			       const struct ppim_buf *buf, void *data);
int ppim_buf_write(PPIMState *s, const struct ppim_buf *buf,
		   const uint8_t *data, uint64_t *done, uint64_t *bad);
void ppim_buf_free(struct ppim_buf *buf);

/* ppim_cmd.c: a command's memory and its verdict */
struct ppim_cmd *ppim_cmd_new(enum ppim_cmd_kind kind, uint16_t qid,
			      const struct ppim_hw_sqe *sqe);
void ppim_cmd_free(struct ppim_cmd *cmd);
void *ppim_cmd_alloc(struct ppim_cmd *cmd, uint64_t count, uint64_t size);
void *ppim_cmd_room(struct ppim_cmd *cmd, uint64_t bytes);
int coroutine_fn ppim_cmd_fetch(PPIMState *s, struct ppim_cmd *cmd,
				uint64_t addr, void *buf, uint64_t bytes);
int ppim_cmd_fail(struct ppim_cmd *cmd, enum ppim_status status,
		  uint64_t detail);
int ppim_cmd_bad_field(struct ppim_cmd *cmd, enum ppim_hw_where where,
		       uint64_t offset);
int ppim_cmd_unsupported(struct ppim_cmd *cmd, enum ppim_hw_where where,
			 uint64_t offset);
int ppim_cmd_tail_zero(struct ppim_cmd *cmd, const struct ppim_hw_sqe *sqe,
		       size_t from);
struct ppim_cmd *ppim_cmd_echo(const struct ppim_cmd *cmd);
void ppim_cmd_note_le(const struct ppim_cmd *cmd, struct ppim_annotation *out);

/* ppim_job.c, ppim_copy.c: 0 when the command is ready for the workers, or -1
 * with its fault */
int coroutine_fn ppim_gnr_load(PPIMState *s, struct ppim_cmd *cmd,
			       const struct ppim_hw_sqe *sqe);
int coroutine_fn ppim_table_load(PPIMState *s, struct ppim_cmd *cmd,
				 uint32_t job, uint64_t addr);
int coroutine_fn ppim_copy_load(PPIMState *s, struct ppim_cmd *cmd,
				const struct ppim_hw_sqe *sqe);
int ppim_clear_load(PPIMState *s, struct ppim_cmd *cmd,
		    const struct ppim_hw_sqe *sqe);
void ppim_tier_clear(MemoryRegion *mr, uint8_t *tier, uint64_t offset,
		     uint64_t bytes);

/* ppim_queue.c */
void ppim_queue_init(PPIMState *s);
void ppim_queue_start(PPIMState *s, uint16_t qid, uint64_t sq, uint64_t cq,
		      uint32_t entries, uint16_t vector);
void ppim_queue_stop(PPIMState *s, uint16_t qid);
void ppim_queue_sq_tail(PPIMState *s, uint16_t qid, uint32_t tail);
void ppim_queue_cq_head(PPIMState *s, uint16_t qid, uint32_t head);
void ppim_queue_run(PPIMState *s);
bool ppim_queue_room(PPIMState *s);
bool ppim_queue_visit_waits(const PPIMState *s);
bool ppim_queue_output(PPIMState *s, struct ppim_cmd *cmd);
void ppim_queue_complete(PPIMState *s, struct ppim_cmd *cmd);

/* ppim_load.c */
void ppim_load_begin(PPIMState *s, uint16_t qid, const struct ppim_hw_sqe *sqe);
void ppim_load_continue(PPIMState *s);
int coroutine_fn ppim_load_read(PPIMState *s, uint64_t addr, void *buf,
				uint64_t bytes, uint64_t *bad);
void ppim_load_finish(PPIMState *s);
struct ppim_cmd *ppim_load_drop(PPIMState *s, uint16_t qid);

/* ppim_admin.c */
void ppim_admin_run(PPIMState *s, const struct ppim_hw_sqe *sqe);

/* ppim_inject.c: 0, or -1 with the command's fault */
int ppim_inject_run(PPIMState *s, struct ppim_cmd *cmd,
		    const struct ppim_hw_sqe *sqe);
int ppim_inject_check(PPIMState *s, struct ppim_cmd *cmd,
		      const struct ppim_inject *in);
void ppim_inject_do(PPIMState *s, const struct ppim_inject *in);
void ppim_inject_late(PPIMState *s);
void ppim_inject_mark(PPIMState *s, struct ppim_cmd *cmd);

/* ppim_visit.c */
void ppim_late(PPIMState *s, enum ppim_late what);
void ppim_visit_begin(PPIMState *s);
bool ppim_visit_over(const PPIMState *s);
void ppim_visit_end(PPIMState *s);

/* ppim_time.c */
void ppim_time_init(PPIMState *s);
void ppim_time_exit(PPIMState *s);
void ppim_time_visit_soon(PPIMState *s);
void ppim_time_finish(PPIMState *s);
void ppim_time_start(PPIMState *s);
uint64_t ppim_time_clock_ps(void);
uint64_t ppim_time_now_ps(PPIMState *s);
void ppim_time_admit(PPIMState *s, struct ppim_cmd *cmd);
void ppim_time_kick(PPIMState *s);
bool ppim_time_abort(PPIMState *s, uint16_t qid, uint16_t cid,
		     uint32_t generation);
void ppim_time_resume(PPIMState *s);
void ppim_time_discard(PPIMState *s, uint16_t qid, bool skip);
void ppim_time_discard_all(PPIMState *s);
void ppim_time_reset(PPIMState *s);

/* ppim_vmstate.c */
extern const VMStateDescription ppim_vmstate;

/* ppim_stats.c */
void ppim_stats_count(PPIMState *s, const struct ppim_cmd *cmd);
void ppim_stats_read(PPIMState *s, struct ppim_hw_stats *out);

/* ppim_work.c */
struct ppim_pool_config {
	struct ppim_engine *engine;	/* the pool's from then on, and */
	struct ppim_config *settings;	/* what it was made from */
	struct ppim_memory mem;
	MemoryRegion *hbm, *dimm;	/* kept alive by the pool */
	uint32_t threads;
	bool guest_time, charge_copies;
	QEMUBH *bh;		/* scheduled when something is done, or NULL */
};
struct ppim_pool *ppim_pool_new(const struct ppim_pool_config *config);
void ppim_pool_retire(struct ppim_pool *pool);
void ppim_pool_submit(struct ppim_pool *pool, struct ppim_cmd *cmd);
bool ppim_pool_is_done(struct ppim_pool *pool, struct ppim_cmd *cmd);
void ppim_pool_wait(struct ppim_pool *pool, struct ppim_cmd *cmd);
void ppim_pool_wait_idle(struct ppim_pool *pool);
void ppim_pool_drop(struct ppim_pool *pool, struct ppim_cmd *cmd, bool skip);
void ppim_pool_free(struct ppim_pool *pool, struct ppim_cmd *cmd);
void ppim_pool_skip_dropped(struct ppim_pool *pool);
uint32_t ppim_pool_dropped(struct ppim_pool *pool, uint64_t *bytes);
/* Touched by commands in the gate; the caller has waited for an idle pool. */
struct ppim_poison_set *ppim_pool_poison(struct ppim_pool *pool);
struct ppim_engine *ppim_pool_engine(struct ppim_pool *pool);
void ppim_pool_lookups(struct ppim_pool *pool, uint64_t *sum);
void ppim_pool_lookups_set(struct ppim_pool *pool, const uint64_t *sum);

/* ppim_dump.c: the gate's */
struct ppim_dump *ppim_dump_new(struct ppim_engine *engine,
				struct ppim_config *settings);
void ppim_dump_free(struct ppim_dump *d);
void ppim_dump_set(struct ppim_dump *d, const struct ppim_dump_file *to);
void ppim_dump_reset(struct ppim_dump *d);
void ppim_dump_flush(struct ppim_dump *d);
void ppim_dump_batch(struct ppim_dump *d, const struct ppim_batch *batch,
		     uint64_t arrival_ps);
void ppim_dump_copy(struct ppim_dump *d, const struct ppim_cmd *cmd);

/* ppim_qom.c */
void ppim_qom_init(ObjectClass *oc);
bool ppim_qom_realize(PPIMState *s, Error **errp);

/* ppim_poison.c */
int ppim_poison_gather(struct ppim_poison_set *set,
		       const struct ppim_memory *mem, struct ppim_cmd *cmd);
int ppim_poison_read(struct ppim_poison_set *set,
		     const struct ppim_memory *mem, struct ppim_cmd *cmd);
void ppim_poison_heal(struct ppim_poison_set *set,
		      const struct ppim_memory *mem,
		      const struct ppim_cmd *cmd);
void ppim_poison_add(struct ppim_poison_set *set, const struct ppim_poison *p);

#endif
