/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between Linux 6.1 and 6.12, and nothing else: the rest of the
 * driver is written against 6.12.
 */
#ifndef PPIM_COMPAT_H
#define PPIM_COMPAT_H

#include <linux/version.h>
#include <linux/device/class.h>
#include <linux/devcoredump.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

/* 6.4 took the owner away. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define ppim_class_create(name)		class_create(THIS_MODULE, name)
#else
#define ppim_class_create(name)		class_create(name)
#endif

/* 6.6 gave commands their submission entry. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define ppim_uring_sqe_cmd(ioucmd)	((ioucmd)->cmd)
#else
#define ppim_uring_sqe_cmd(ioucmd)	io_uring_sqe_cmd((ioucmd)->sqe)
#endif

/* 6.7 made commands cancelable. Before, a ring that is closed waits. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define PPIM_URING_F_CANCEL		0
static inline void ppim_uring_mark_cancelable(struct io_uring_cmd *ioucmd,
					      unsigned int issue_flags)
{
}
#else
#define PPIM_URING_F_CANCEL		IO_URING_F_CANCEL
static inline void ppim_uring_mark_cancelable(struct io_uring_cmd *ioucmd,
					      unsigned int issue_flags)
{
	io_uring_cmd_mark_cancelable(ioucmd, issue_flags);
}
#endif

#endif
