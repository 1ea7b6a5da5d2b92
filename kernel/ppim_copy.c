// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of subtables: upload, download, row maps, copies of copies.
 *
 * All of it goes in pieces through a kernel buffer: user memory may fault, and
 * nothing that may fault is done inside the gate, where the windows are
 * touched. Between pieces a copy can be killed and a reset can pass.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ppim_drv.h"

#define PPIM_COPY_BYTES		(64u << 10)
#define PPIM_COPY_ROWS		4096u	/* row numbers or map entries in a piece */

/* Where a piece's rows are, and the buffers of a copy. */
struct ppim_copy {
	struct ppim_device *pd;
	struct ppim_sub *sub;
	const struct ppim_ioc_copy *arg;
	bool upload;
	u32 only;			/* the one copy, or PPIM_EVERY_COPY */
	u32 piece_rows;
	u8 *data;
	u64 *rows;			/* with a list of rows */
	__le32 *map;			/* with a row map */
};

#define PPIM_EVERY_COPY	U32_MAX

/* Ranges that the device clears by a command: smaller ones are cleared through
 * the window before a command is answered, larger ones in parts, so that other
 * admin commands get through.
 */
#define PPIM_CLEAR_LEAST	(256u << 10)
#define PPIM_CLEAR_MOST		(256u << 20)

static int ppim_copy_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static void ppim_copy_leave(struct ppim_device *pd)
{
	/* Stores through the write-combining mapping arrive before a doorbell
	 * that another CPU rings.
	 */
	wmb();
	ppim_gate_exit(pd);
}

static u64 ppim_row_number(const struct ppim_copy *c, u64 done, u32 i)
{
	return c->arg->rows ? c->rows[i] : c->arg->first_row + done + i;
}

/* The extent and the row in it; duplicated subtables have the row everywhere. */
static struct ppim_extent *ppim_row_locate(const struct ppim_copy *c, u64 row, u32 i, u64 *at)
{
	struct ppim_sub *s = c->sub;
	u64 pos = row;
	u32 extent = 0;

	if (s->flags & PPIM_SUBF_MAPPED) {
		extent = le32_to_cpu(c->map[i]) >> s->map_bits;
		pos = le32_to_cpu(c->map[i]) & (BIT(s->map_bits) - 1);
	} else if (!(s->flags & PPIM_SUBF_DUPLICATED)) {
		pos = div_u64_rem(row, s->n_extents, &extent);
	}
	*at = pos * s->row_stride;
	return &s->extents[extent];
}

/* A map entry leads into its subtable whatever the memory holds by now. */
static bool ppim_map_valid(const struct ppim_sub *s, __le32 entry)
{
	u32 v = le32_to_cpu(entry);

	return v >> s->map_bits < s->n_extents &&
	       (v & (BIT(s->map_bits) - 1)) < s->extents[v >> s->map_bits].rows;
}

/* Gate */
static int ppim_map_read(struct ppim_copy *c, u64 done, u32 n)
{
	const __le32 *map = ppim_tier_at(c->pd, &c->sub->map, 0);
	u32 i;

	if (!(c->sub->flags & PPIM_SUBF_MAPPED))
		return 0;
	for (i = 0; i < n; i++) {
		c->map[i] = map[ppim_row_number(c, done, i)];
		if (!ppim_map_valid(c->sub, c->map[i]))
			return -EIO;
	}
	return 0;
}

static void ppim_row_move(struct ppim_copy *c, const struct ppim_extent *e, u64 at, void *data,
			  size_t bytes)
{
	void *place = ppim_tier_at(c->pd, e, at);

	if (c->upload)
		memcpy(place, data, bytes);
	else
		memcpy(data, place, bytes);
}

static void ppim_row_move_copies(struct ppim_copy *c, u64 at, void *data, size_t bytes)
{
	struct ppim_sub *s = c->sub;
	u32 i;

	if (c->only != PPIM_EVERY_COPY) {
		ppim_row_move(c, &s->extents[c->only], at, data, bytes);
		return;
	}
	for (i = 0; i < s->n_extents; i++)
		ppim_row_move(c, &s->extents[i], at, data, bytes);
}

/* Rows in a row, back to back at both ends: one move. */
static bool ppim_rows_dense(const struct ppim_copy *c)
{
	const struct ppim_sub *s = c->sub;

	return !c->arg->rows && s->row_stride == s->row_bytes &&
	       !(s->flags & PPIM_SUBF_MAPPED) &&
	       (s->flags & PPIM_SUBF_DUPLICATED || s->n_extents == 1);
}

/* Gate */
static void ppim_rows_move(struct ppim_copy *c, u64 done, u32 n)
{
	size_t bytes = c->sub->row_bytes;
	struct ppim_extent *e;
	u32 i, moves = n;
	u64 at;

	if (ppim_rows_dense(c)) {
		bytes *= n;
		moves = 1;
	}
	for (i = 0; i < moves; i++) {
		e = ppim_row_locate(c, ppim_row_number(c, done, i), i, &at);
		if (c->sub->flags & PPIM_SUBF_DUPLICATED)
			ppim_row_move_copies(c, at, c->data + i * bytes, bytes);
		else
			ppim_row_move(c, e, at, c->data + i * bytes, bytes);
	}
}

static int ppim_rows_fetch(struct ppim_copy *c, u64 done, u32 n)
{
	u64 __user *rows = u64_to_user_ptr(c->arg->rows);
	u32 i;

	if (!c->arg->rows)
		return 0;
	if (copy_from_user(c->rows, rows + done, n * sizeof(*c->rows)))
		return -EFAULT;
	for (i = 0; i < n; i++)
		if (c->rows[i] >= c->sub->rows)
			return -ERANGE;
	return 0;
}

static int ppim_piece_move(struct ppim_copy *c, u64 done, u32 n)
{
	int ret;

	ret = ppim_gate_enter_live(c->pd, false);
	if (ret)
		return ret;
	ret = ppim_map_read(c, done, n);
	if (!ret)
		ppim_rows_move(c, done, n);
	ppim_copy_leave(c->pd);
	return ret;
}

static int ppim_piece(struct ppim_copy *c, u64 done, u32 n)
{
	size_t bytes = (size_t)n * c->sub->row_bytes;
	u8 __user *data = u64_to_user_ptr(c->arg->data) + done * c->sub->row_bytes;
	int ret;

	ret = ppim_rows_fetch(c, done, n);
	if (ret)
		return ret;
	if (c->upload && copy_from_user(c->data, data, bytes))
		return -EFAULT;
	ret = ppim_piece_move(c, done, n);
	if (ret)
		return ret;
	if (!c->upload && copy_to_user(data, c->data, bytes))
		return -EFAULT;
	return 0;
}

static int ppim_copy_run(struct ppim_copy *c)
{
	u64 done, n;
	int ret = 0;

	for (done = 0; !ret && done < c->arg->n_rows; done += n) {
		n = min_t(u64, c->arg->n_rows - done, c->piece_rows);
		ret = ppim_copy_pause();
		if (!ret)
			ret = ppim_piece(c, done, n);
	}
	return ret;
}

static int ppim_copy_alloc(struct ppim_copy *c)
{
	u32 row = c->sub->row_bytes;
	u64 n = clamp_t(u64, PPIM_COPY_BYTES / row, 1, PPIM_COPY_ROWS);

	c->piece_rows = clamp_t(u64, c->arg->n_rows, 1, n);
	c->data = kvmalloc((size_t)c->piece_rows * row, GFP_KERNEL_ACCOUNT);
	if (!c->data)
		return -ENOMEM;
	if (c->arg->rows) {
		c->rows = kvmalloc_array(c->piece_rows, sizeof(*c->rows), GFP_KERNEL_ACCOUNT);
		if (!c->rows)
			return -ENOMEM;
	}
	if (c->sub->flags & PPIM_SUBF_MAPPED) {
		c->map = kvmalloc_array(c->piece_rows, sizeof(*c->map), GFP_KERNEL_ACCOUNT);
		if (!c->map)
			return -ENOMEM;
	}
	return 0;
}

/* Which copies: DOWNLOAD reads one, UPLOAD writes all or, for tests, one. */
static int ppim_copy_choose(struct ppim_copy *c)
{
	u32 copy = c->arg->copy;

	c->only = PPIM_EVERY_COPY;
	if (c->upload && !copy)
		return 0;
	if (c->upload && !(copy & PPIM_COPY_ONE))
		return -EINVAL;
	copy &= c->upload ? ~PPIM_COPY_ONE : U32_MAX;
	if (!(c->sub->flags & PPIM_SUBF_DUPLICATED))
		return copy ? -EINVAL : 0;
	if (copy >= c->sub->n_extents)
		return -EINVAL;
	c->only = copy;
	return 0;
}

static int ppim_copy_check(struct ppim_copy *c)
{
	const struct ppim_ioc_copy *a = c->arg;
	u64 end, bytes;

	if (!c->sub->extents)
		return -ENODATA;
	if (a->rows && a->first_row)
		return -EINVAL;
	if (check_mul_overflow(a->n_rows, (u64)c->sub->row_bytes, &bytes) ||
	    check_mul_overflow(a->n_rows, (u64)sizeof(u64), &bytes))
		return -E2BIG;
	if (!a->rows && (check_add_overflow(a->first_row, a->n_rows, &end) ||
			 end > c->sub->rows))
		return -ERANGE;
	return ppim_copy_choose(c);
}

static int ppim_copy_locked(struct ppim_copy *c, struct ppim_table *t)
{
	int ret;

	ret = ppim_copy_check(c);
	if (ret || !c->arg->n_rows)
		return ret;
	ret = ppim_copy_alloc(c);
	if (!ret)
		ret = ppim_copy_run(c);
	kvfree(c->map);
	kvfree(c->rows);
	kvfree(c->data);
	/* Part of it may have been written before an error. */
	if (c->upload && !ppim_gate_enter(c->pd)) {
		ppim_table_changed(t);
		ppim_gate_exit(c->pd);
	}
	return ret;
}

static int ppim_copy_any(struct ppim_file *file, const struct ppim_ioc_copy *arg, bool upload)
{
	struct ppim_copy c = { .pd = file->pd, .arg = arg, .upload = upload };
	struct ppim_table *t;
	int ret;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	t = ppim_table_use(file, arg->table);
	if (IS_ERR(t))
		return PTR_ERR(t);
	ret = -EINVAL;
	if (arg->subtable >= t->n_subs)
		goto put;
	c.sub = &t->sub[arg->subtable];
	ret = mutex_lock_killable(&t->lock);
	if (ret)
		goto put;
	ret = ppim_copy_locked(&c, t);
	mutex_unlock(&t->lock);
put:
	ppim_use_put(&t->users);
	return ret;
}

int ppim_copy_upload(struct ppim_file *file, void *arg)
{
	return ppim_copy_any(file, arg, true);
}

int ppim_copy_download(struct ppim_file *file, void *arg)
{
	return ppim_copy_any(file, arg, false);
}

static int ppim_map_piece(struct ppim_device *pd, const struct ppim_sub *s, u64 user, u64 done,
			  u32 n, __le32 *map)
{
	u32 __user *from = u64_to_user_ptr(user);
	u32 i;
	int ret;

	if (copy_from_user(map, from + done, n * sizeof(*map)))
		return -EFAULT;
	for (i = 0; i < n; i++) {
		map[i] = cpu_to_le32((__force u32)map[i]);
		if (!ppim_map_valid(s, map[i]))
			return -ERANGE;
	}
	ret = ppim_gate_enter_live(pd, false);
	if (ret)
		return ret;
	memcpy(ppim_tier_at(pd, &s->map, done * sizeof(*map)), map, n * sizeof(*map));
	ppim_copy_leave(pd);
	return 0;
}

/* Takes a row map into its tier; every entry is checked on the way. */
int ppim_copy_map(struct ppim_device *pd, const struct ppim_sub *s, u64 user)
{
	__le32 *map = kvmalloc_array(PPIM_COPY_ROWS, sizeof(*map), GFP_KERNEL_ACCOUNT);
	u64 done, n;
	int ret = 0;

	if (!map)
		return -ENOMEM;
	for (done = 0; !ret && done < s->rows; done += n) {
		n = min_t(u64, s->rows - done, PPIM_COPY_ROWS);
		ret = ppim_copy_pause();
		if (!ret)
			ret = ppim_map_piece(pd, s, user, done, n, map);
	}
	kvfree(map);
	return ret;
}

/* In pieces that let a reset through; @from NULL: clears. */
static int ppim_extent_set(struct ppim_device *pd, const struct ppim_extent *to,
			   const struct ppim_extent *from, u64 bytes)
{
	u64 done, n;
	int ret;

	for (done = 0; done < bytes; done += n) {
		n = min_t(u64, bytes - done, PPIM_COPY_BYTES * 16);
		ret = ppim_copy_pause();
		if (!ret)
			ret = ppim_gate_enter_live(pd, false);
		if (ret)
			return ret;
		if (from)
			memcpy(ppim_tier_at(pd, to, done), ppim_tier_at(pd, from, done), n);
		else
			memset(ppim_tier_at(pd, to, done), 0, n);
		ppim_copy_leave(pd);
	}
	return 0;
}

int ppim_copy_extent(struct ppim_device *pd, const struct ppim_extent *to,
		     const struct ppim_extent *from, u64 bytes)
{
	return ppim_extent_set(pd, to, from, bytes);
}

/* A reset that comes in between has lost the command: once more. */
static int ppim_clear_command(struct ppim_device *pd, const struct ppim_extent *e, u64 at,
			      u64 bytes)
{
	struct ppim_hw_sqe sqe = { .opcode = PPIM_ADM_CLEAR };
	int ret;

	sqe.copy.data.bytes = cpu_to_le64(bytes);
	sqe.copy.tier = e->tier;
	sqe.copy.slice = cpu_to_le16(e->slice);
	sqe.copy.offset = cpu_to_le64(e->offset + at);
	do {
		ret = ppim_copy_pause();
		if (!ret)
			ret = ppim_gate_enter_live(pd, false);
		if (ret)
			return ret;
		ppim_gate_exit(pd);
		ret = ppim_admin_do(pd, &sqe, NULL, false);
	} while (ret == -EAGAIN || ret == -ECANCELED);
	return ret == -ETIMEDOUT ? -EIO : ret;
}

int ppim_copy_clear(struct ppim_device *pd, const struct ppim_extent *e, u64 bytes)
{
	u64 done, n;
	int ret = 0;

	if (!(pd->limits.caps & PPIM_CAP_CLEAR) || bytes < PPIM_CLEAR_LEAST)
		return ppim_extent_set(pd, e, NULL, bytes);
	for (done = 0; !ret && done < bytes; done += n) {
		n = min_t(u64, bytes - done, PPIM_CLEAR_MOST);
		ret = ppim_clear_command(pd, e, done, n);
	}
	return ret;
}
