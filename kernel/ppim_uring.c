// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches by io_uring: IORING_OP_URING_CMD with cmd_op PPIM_URING_GNR.
 *
 * A command is marked cancelable when it holds its slot and before it starts:
 * from the mark on it must be finished by io_uring_cmd_done, and once it has
 * started that may happen at any time. The result is written, and the command
 * finished, in the submitter's task.
 */
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "ppim_compat.h"
#include "ppim_drv.h"

struct ppim_uring_pdu {
	struct ppim_job *job;
};

static struct ppim_uring_pdu *ppim_uring_pdu(struct io_uring_cmd *ioucmd)
{
	static_assert(sizeof(struct ppim_uring_pdu) <= sizeof(ioucmd->pdu));
	return (struct ppim_uring_pdu *)ioucmd->pdu;
}

/* A task that is going, or a worker that stands in for it, has no memory to
 * write a result to.
 */
static bool ppim_uring_task_gone(void)
{
	return current->flags & (PF_EXITING | PF_KTHREAD) || !current->mm;
}

static void ppim_uring_finish(struct io_uring_cmd *ioucmd, unsigned int issue_flags)
{
	struct ppim_job *job = ppim_uring_pdu(ioucmd)->job;
	int ret = -(int)job->result.error;

	if (!ppim_uring_task_gone() && ppim_job_put_result(job))
		ret = -EFAULT;
	io_uring_cmd_done(ioucmd, ret, 0, issue_flags);
	/* Not before: a cancel finds the job until the command is done. */
	ppim_job_put(job);
}

void ppim_uring_complete(struct ppim_job *job)
{
	io_uring_cmd_complete_in_task(job->ioucmd, ppim_uring_finish);
}

static int ppim_uring_copy_in(struct io_uring_cmd *ioucmd, struct ppim_ioc_gnr *gnr)
{
	const struct ppim_uring_cmd *cmd = ppim_uring_sqe_cmd(ioucmd);
	u64 user = READ_ONCE(cmd->gnr);
	u64 reserved = READ_ONCE(cmd->reserved);
	u32 bytes;
	int ret;

	if (reserved || ioucmd->flags & IORING_URING_CMD_FIXED)
		return -EINVAL;
	ret = ppim_ioctl_copy_in(gnr, sizeof(*gnr), user, &bytes);
	if (ret)
		return ret;
	/* The command waits by itself. */
	return gnr->flags & PPIM_GNR_WAIT ? -EINVAL : 0;
}

static int ppim_uring_refuse(struct ppim_job *job, int ret)
{
	if (job->result.error && ppim_job_put_result(job))
		ret = -EFAULT;
	ppim_job_drop(job);
	return ret;
}

/* The command is marked: errors are told by finishing it. */
static int ppim_uring_start(struct io_uring_cmd *ioucmd, struct ppim_job *job, bool nonblock,
			    unsigned int issue_flags)
{
	int ret;

	ret = ppim_job_start(job, nonblock);
	if (!ret)
		return -EIOCBQUEUED;
	/* A reset began between the slot and the start: lost in the reset. */
	if (ret == -EAGAIN)
		ret = -ECANCELED;
	io_uring_cmd_done(ioucmd, ret, 0, issue_flags);
	ppim_job_drop(job);
	return -EIOCBQUEUED;
}

static int ppim_uring_gnr(struct io_uring_cmd *ioucmd, struct ppim_file *file,
			  unsigned int issue_flags)
{
	bool nonblock = issue_flags & IO_URING_F_NONBLOCK;
	struct ppim_ioc_gnr gnr;
	struct ppim_job *job;
	int ret;

	ret = ppim_uring_copy_in(ioucmd, &gnr);
	if (ret)
		return ret;
	nonblock |= gnr.flags & PPIM_GNR_NONBLOCK;
	job = ppim_job_alloc(file, &gnr, PPIM_JOB_URING);
	if (IS_ERR(job))
		return PTR_ERR(job);
	job->ioucmd = ioucmd;
	ret = ppim_job_prepare(job, gnr.jobs);
	if (!ret)
		ret = ppim_queue_slot_get(file->pd, job, gnr.queue, nonblock);
	if (ret)
		return ppim_uring_refuse(job, ret);
	ppim_uring_pdu(ioucmd)->job = job;
	ppim_uring_mark_cancelable(ioucmd, issue_flags);
	return ppim_uring_start(ioucmd, job, nonblock, issue_flags);
}

int ppim_uring_cmd(struct io_uring_cmd *ioucmd, unsigned int issue_flags)
{
	struct ppim_file *file = ioucmd->file->private_data;

	if (issue_flags & PPIM_URING_F_CANCEL) {
		ppim_queue_abort(ppim_uring_pdu(ioucmd)->job);
		return 0;
	}
	if (READ_ONCE(file->pd->dead))
		return -ENODEV;
	if (ioucmd->cmd_op != PPIM_URING_GNR)
		return -ENOTTY;
	return ppim_uring_gnr(ioucmd, file, issue_flags);
}
