/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ppim

#if !defined(PPIM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PPIM_TRACE_H

#include <linux/tracepoint.h>
#include "ppim_drv.h"

TRACE_EVENT(ppim_submit,
	    TP_PROTO(const struct ppim_device *pd, u16 queue, u16 cid, u64 ticket, u32 arch,
		     u32 tables, u64 lookups),
	    TP_ARGS(pd, queue, cid, ticket, arch, tables, lookups),
	    TP_STRUCT__entry(__field(int, minor)
			     __field(u16, queue)
			     __field(u16, cid)
			     __field(u64, ticket)
			     __field(u32, arch)
			     __field(u32, tables)
			     __field(u64, lookups)
	    ),
	    TP_fast_assign(__entry->minor = pd->minor;
			   __entry->queue = queue;
			   __entry->cid = cid;
			   __entry->ticket = ticket;
			   __entry->arch = arch;
			   __entry->tables = tables;
			   __entry->lookups = lookups;
	    ),
	    TP_printk("dev=%d queue=%u cid=%u ticket=%llu arch=%u tables=%u lookups=%llu",
		      __entry->minor, __entry->queue, __entry->cid, __entry->ticket,
		      __entry->arch, __entry->tables, __entry->lookups)
);

TRACE_EVENT(ppim_complete,
	    TP_PROTO(const struct ppim_device *pd, u64 ticket, u32 status, u64 busy_ps),
	    TP_ARGS(pd, ticket, status, busy_ps),
	    TP_STRUCT__entry(__field(int, minor)
			     __field(u64, ticket)
			     __field(u32, status)
			     __field(u64, busy_ps)
	    ),
	    TP_fast_assign(__entry->minor = pd->minor;
			   __entry->ticket = ticket;
			   __entry->status = status;
			   __entry->busy_ps = busy_ps;
	    ),
	    TP_printk("dev=%d ticket=%llu status=%u busy_ps=%llu",
		      __entry->minor, __entry->ticket, __entry->status, __entry->busy_ps)
);

DECLARE_EVENT_CLASS(ppim_extents,
		    TP_PROTO(const struct ppim_device *pd, u64 table, u32 subtable, u32 extents,
			     u64 rows, u32 stride),
		    TP_ARGS(pd, table, subtable, extents, rows, stride),
		    TP_STRUCT__entry(__field(int, minor)
				     __field(u64, table)
				     __field(u32, subtable)
				     __field(u32, extents)
				     __field(u64, rows)
				     __field(u32, stride)
		    ),
		    TP_fast_assign(__entry->minor = pd->minor;
				   __entry->table = table;
				   __entry->subtable = subtable;
				   __entry->extents = extents;
				   __entry->rows = rows;
				   __entry->stride = stride;
		    ),
		    TP_printk("dev=%d table=%llu subtable=%u extents=%u rows=%llu stride=%u",
			      __entry->minor, __entry->table, __entry->subtable, __entry->extents,
			      __entry->rows, __entry->stride)
);

DEFINE_EVENT(ppim_extents, ppim_place,
	     TP_PROTO(const struct ppim_device *pd, u64 table, u32 subtable, u32 extents,
		      u64 rows, u32 stride),
	     TP_ARGS(pd, table, subtable, extents, rows, stride)
);

DEFINE_EVENT(ppim_extents, ppim_duplicate,
	     TP_PROTO(const struct ppim_device *pd, u64 table, u32 subtable, u32 extents,
		      u64 rows, u32 stride),
	     TP_ARGS(pd, table, subtable, extents, rows, stride)
);

TRACE_EVENT(ppim_prefetch,
	    TP_PROTO(const struct ppim_device *pd, u64 table, u32 subtable, bool enable),
	    TP_ARGS(pd, table, subtable, enable),
	    TP_STRUCT__entry(__field(int, minor)
			     __field(u64, table)
			     __field(u32, subtable)
			     __field(bool, enable)
	    ),
	    TP_fast_assign(__entry->minor = pd->minor;
			   __entry->table = table;
			   __entry->subtable = subtable;
			   __entry->enable = enable;
	    ),
	    TP_printk("dev=%d table=%llu subtable=%u enable=%d",
		      __entry->minor, __entry->table, __entry->subtable, __entry->enable)
);

TRACE_EVENT(ppim_fault,
	    TP_PROTO(const struct ppim_device *pd, u16 queue, u16 cid, const char *what),
	    TP_ARGS(pd, queue, cid, what),
	    TP_STRUCT__entry(__field(int, minor)
			     __field(u16, queue)
			     __field(u16, cid)
			     __field(const char *, what)
	    ),
	    TP_fast_assign(__entry->minor = pd->minor;
			   __entry->queue = queue;
			   __entry->cid = cid;
			   __entry->what = what;
	    ),
	    TP_printk("dev=%d queue=%u cid=%u %s",
		      __entry->minor, __entry->queue, __entry->cid, __entry->what)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE ppim_trace
#include <trace/define_trace.h>
