/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between Linux 6.1 and 6.12, and nothing else: the rest of the
 * driver is written against 6.12. Kbuild looks at the kernel's headers and
 * says what they have, so that a backport is no trap.
 */
#ifndef PPIM_COMPAT_H
#define PPIM_COMPAT_H

#include <linux/device/class.h>
#include <linux/devcoredump.h>
#ifdef PPIM_HAVE_IO_URING_CMD_H
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

#ifdef PPIM_HAVE_CLASS_OWNER
#define ppim_class_create(name)		class_create(THIS_MODULE, name)
#else
#define ppim_class_create(name)		class_create(name)
#endif

/* Commands once were handed their data, now their submission entry. */
#ifdef PPIM_HAVE_SQE_CMD
#define ppim_uring_sqe_cmd(ioucmd)	io_uring_sqe_cmd((ioucmd)->sqe)
#else
#define ppim_uring_sqe_cmd(ioucmd)	((ioucmd)->cmd)
#endif

/* Without cancelable commands, a ring that is closed waits for them. */
#ifdef PPIM_HAVE_URING_CANCEL
#define PPIM_URING_F_CANCEL		IO_URING_F_CANCEL
static inline void ppim_uring_mark_cancelable(struct io_uring_cmd *ioucmd,
					      unsigned int issue_flags)
{
	io_uring_cmd_mark_cancelable(ioucmd, issue_flags);
}
#else
#define PPIM_URING_F_CANCEL		0
static inline void ppim_uring_mark_cancelable(struct io_uring_cmd *ioucmd,
					      unsigned int issue_flags)
{
}
#endif

#endif
