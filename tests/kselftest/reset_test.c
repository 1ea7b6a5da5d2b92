// SPDX-License-Identifier: GPL-2.0-only
/* Devices that hang, lose completions, are reset, unbound or unloaded. */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
};

FIXTURE_SETUP(dev)
{
	struct ppim_shape s = t_qr(4000, 32, 4);

	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &self->t, &s, 81));
	t_batch_init(&self->b, &self->t, 4, 32, 82);
}

FIXTURE_TEARDOWN(dev)
{
	t_write_file(PPIM_T_PARAMS "timeout_ms", "30000");
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
}

static int reset(int fd)
{
	struct ppim_ioc_reset r = { .size = sizeof(r) };

	return t_call(fd, PPIM_IOC_RESET, &r);
}

static long long counter(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), PPIM_T_CLASS "%s", name);
	return t_read_number(path);
}

/* After whatever happened: the same table, the same answers. */
static int works(struct _test_data_dev *self)
{
	memset(self->b.out, 0xa5, 512);
	return !t_run(self->fd, &self->b.job, 1, PPIM_ARCH_PROACTIVE, &self->r) &&
	       !t_batch_wrong(&self->b);
}

#define NEED_INJECT()								\
	if (!(self->info.caps & PPIM_T_CAP_INJECT) || !(self->info.caps & PPIM_T_CAP_ABORT)) \
		SKIP(return, "the device has no fault injection or no abort")

TEST_F(dev, tables_survive_a_reset)
{
	long long before = counter("resets");

	ASSERT_TRUE(works(self));
	ASSERT_EQ(0, reset(self->fd));
	EXPECT_EQ(before + 1, counter("resets"));
	EXPECT_TRUE(works(self));
}

TEST_F(dev, work_in_flight_is_cancelled)
{
	uint64_t ticket;

	NEED_INJECT();
	ASSERT_EQ(0, t_inject("hang 1"));
	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	ASSERT_EQ(0, reset(self->fd));
	ASSERT_EQ(0, t_wait(self->fd, ticket, 0, &self->r));
	EXPECT_EQ(PPIM_ST_RESET, self->r.status);
	EXPECT_EQ(ECANCELED, self->r.error);
	EXPECT_TRUE(works(self));
}

TEST_F(dev, hung_batch_times_out)
{
	long long timeouts = counter("timeouts"), resets = counter("resets");
	double start = t_seconds();

	NEED_INJECT();
	ASSERT_EQ(0, t_write_file(PPIM_T_PARAMS "timeout_ms", "500"));
	ASSERT_EQ(0, t_inject("hang 1"));
	EXPECT_EQ(-ECANCELED, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(PPIM_ST_ABORTED, self->r.status);
	EXPECT_LT(t_seconds() - start, 10);
	EXPECT_EQ(timeouts + 1, counter("timeouts"));
	/* An abort was enough: nobody else was disturbed. */
	EXPECT_EQ(resets, counter("resets"));
	EXPECT_TRUE(works(self));
}

TEST_F(dev, lost_completion_ends_its_batch_alone)
{
	long long timeouts = counter("timeouts"), resets = counter("resets");

	NEED_INJECT();
	ASSERT_EQ(0, t_write_file(PPIM_T_PARAMS "timeout_ms", "500"));
	ASSERT_EQ(0, t_inject("drop 1"));
	EXPECT_EQ(-EIO, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(timeouts + 1, counter("timeouts"));
	EXPECT_EQ(resets, counter("resets"));
	EXPECT_TRUE(works(self));
}

TEST_F(dev, doubled_completion_is_counted_and_harmless)
{
	long long strays = counter("stray_completions");
	int i;

	NEED_INJECT();
	ASSERT_EQ(0, t_inject("double 3"));
	for (i = 0; i < 20; i++)
		ASSERT_TRUE(works(self));
	EXPECT_EQ(strays + 3, counter("stray_completions"));
}

TEST_F(dev, lost_link_is_recovered_by_reset)
{
	long long resets = counter("resets");
	int i;

	NEED_INJECT();
	/* The device is fatal at once; it may or may not answer the command. */
	t_inject("link 1");
	for (i = 0; i < 3 && counter("resets") == resets; i++)
		t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r);
	EXPECT_GT(counter("resets"), resets);
	EXPECT_TRUE(works(self));
}

TEST_F(dev, media_errors_name_the_place)
{
	char line[64];

	NEED_INJECT();
	ASSERT_TRUE(works(self));
	/* The first row of slice 0: Q row 0, which index 0 needs. */
	self->b.idx[5] = 0;
	snprintf(line, sizeof(line), "uncorrectable 1 0 0 0");
	ASSERT_EQ(0, t_inject(line));
	EXPECT_EQ(-EIO, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(PPIM_ST_MEDIA_ERROR, self->r.status);
	EXPECT_EQ(0, self->r.detail >> 56);
	EXPECT_TRUE(works(self));
}

/* The path of a dump's data, if there is a dump. */
static int find_dump(char *path, size_t size)
{
	DIR *d = opendir("/sys/class/devcoredump");
	struct dirent *e;
	int found = 0;

	while (d && !found && (e = readdir(d)))
		if (!strncmp(e->d_name, "devcd", 5)) {
			snprintf(path, size, "/sys/class/devcoredump/%s/data", e->d_name);
			found = 1;
		}
	if (d)
		closedir(d);
	return found;
}

/* Lost to the reset that follows: run until one is not. */
static int works_again(struct _test_data_dev *self)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (works(self))
			return 1;
		usleep(20000);
	}
	return 0;
}

TEST_F(dev, failed_device_leaves_a_dump)
{
	char path[512], text[4096];
	int i;

	NEED_INJECT();
	/* A dump of a test before would hide ours; it goes some time after it
	 * was told to. */
	for (i = 0; i < 100 && find_dump(path, sizeof(path)); i++) {
		t_write_file(path, "1");
		usleep(20000);
	}
	ASSERT_EQ(0, find_dump(path, sizeof(path)));
	t_inject("link 1");
	for (i = 0; i < 100 && !find_dump(path, sizeof(path)); i++) {
		t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r);
		usleep(20000);
	}
	ASSERT_EQ(1, find_dump(path, sizeof(path)));
	ASSERT_EQ(0, t_read_file(path, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "reason "));
	EXPECT_NE(NULL, strstr(text, "reg 0x000 "));
	EXPECT_NE(0, works_again(self));
	EXPECT_EQ(0, t_write_file(path, "1"));
}

/* --- reset under load -------------------------------------------------------------------- */

struct load {
	struct _test_data_dev *self;
	volatile int stop;
	int done, cancelled, other, wrong;
};

static void *load_thread(void *arg)
{
	struct load *l = arg;
	struct ppim_ioc_result r;
	struct t_batch b;
	int ret;

	t_batch_init(&b, &l->self->t, 8, 64, 83);
	while (!l->stop) {
		memset(b.out, 0xa5, 512);
		ret = t_run(l->self->fd, &b.job, 1, PPIM_ARCH_BGPIM, &r);
		if (!ret && t_batch_wrong(&b))
			__atomic_add_fetch(&l->wrong, 1, __ATOMIC_RELAXED);
		if (!ret)
			__atomic_add_fetch(&l->done, 1, __ATOMIC_RELAXED);
		else if (ret == -ECANCELED)
			__atomic_add_fetch(&l->cancelled, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&l->other, 1, __ATOMIC_RELAXED);
	}
	t_batch_free(&b);
	return NULL;
}

static void *upload_thread(void *arg)
{
	struct load *l = arg;
	const struct t_table *t = &l->self->t;

	while (!l->stop)
		if (t_upload_all(l->self->fd, t))
			__atomic_add_fetch(&l->other, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void under_load(struct __test_metadata *_metadata, struct _test_data_dev *self,
		       struct load *l, int (*fn)(struct _test_data_dev *), int rounds)
{
	pthread_t th[4];
	int i;

	l->self = self;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&th[i], NULL, load_thread, l));
	ASSERT_EQ(0, pthread_create(&th[3], NULL, upload_thread, l));
	for (i = 0; i < rounds; i++) {
		usleep(30000);
		EXPECT_EQ(0, fn(self));
	}
	usleep(30000);
	l->stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(th[i], NULL);
	EXPECT_EQ(0, l->wrong);
	EXPECT_EQ(0, l->other);
	EXPECT_GT(l->done, 0);
}

static int reset_self(struct _test_data_dev *self)
{
	return reset(self->fd);
}

TEST_F(dev, resets_under_load)
{
	struct load l = { 0 };

	under_load(_metadata, self, &l, reset_self, 15);
	EXPECT_TRUE(works(self));
}

/* --- PCI ----------------------------------------------------------------------------------- */

static int pci_path(char *path, size_t size, const char *file)
{
	char link[256];
	int n = readlink(PPIM_T_CLASS "device", link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = 0;
	snprintf(path, size, "/sys/bus/pci/devices/%s/%s", strrchr(link, '/') + 1, file);
	return 0;
}

static int function_reset(struct _test_data_dev *self)
{
	char path[256];
	int ret = pci_path(path, sizeof(path), "reset");

	return ret ?: t_write_file(path, "1");
}

TEST_F(dev, function_level_resets_under_load)
{
	struct load l = { 0 };
	char path[256];

	ASSERT_EQ(0, pci_path(path, sizeof(path), "reset"));
	if (access(path, W_OK))
		SKIP(return, "the function has no reset in sysfs");
	under_load(_metadata, self, &l, function_reset, 5);
	EXPECT_TRUE(works(self));
}

static int bind(const char *name, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/ppim/%s", file);
	return t_write_file(path, name);
}

static int pci_name(char *name, size_t size)
{
	char link[256];
	int n = readlink(PPIM_T_CLASS "device", link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = 0;
	snprintf(name, size, "%s", strrchr(link, '/') + 1);
	return 0;
}

static int wait_for_device(void)
{
	int i, fd;

	for (i = 0; i < 200; i++) {
		fd = open(PPIM_T_DEV, O_RDWR);
		if (fd >= 0) {
			close(fd);
			return 0;
		}
		usleep(20000);
	}
	return -1;
}

/* Unbound while a file is open, work hangs and somebody waits. */
TEST_F(dev, unbind_lets_nobody_hang)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	struct ppim_ioc_handle h = { .size = sizeof(h), .handle = self->t.handle };
	struct load l = { .self = self };
	char name[32];
	uint64_t ticket;
	pthread_t th[2];
	int i;

	NEED_INJECT();
	ASSERT_EQ(0, pci_name(name, sizeof(name)));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&th[i], NULL, load_thread, &l));
	usleep(50000);
	ASSERT_EQ(0, t_inject("hang 2"));
	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	usleep(100000);
	ASSERT_EQ(0, bind(name, "unbind"));
	l.stop = 1;
	for (i = 0; i < 2; i++)
		pthread_join(th[i], NULL);
	EXPECT_EQ(-ENODEV, t_wait(self->fd, ticket, -1, &self->r));
	EXPECT_EQ(-ENODEV, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(-ENODEV, t_upload_all(self->fd, &self->t));
	EXPECT_EQ(-ENODEV, t_call(self->fd, PPIM_IOC_TABLE_DESTROY, &h));
	EXPECT_EQ(-ENODEV, t_info(self->fd, &self->info));
	EXPECT_EQ(-ENODEV, reset(self->fd));
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_TRUE(p.revents & POLLHUP);
	EXPECT_EQ(-1, open(PPIM_T_DEV, O_RDWR));
	EXPECT_EQ(0, l.wrong);
	ASSERT_EQ(0, bind(name, "bind"));
	ASSERT_EQ(0, wait_for_device());
}

TEST_F(dev, bound_again_it_is_empty_and_works)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	struct ppim_ioc_info info;
	struct ppim_ioc_result r;
	struct t_table t;
	struct t_batch b;
	char name[32];
	int fd, i;

	ASSERT_EQ(0, pci_name(name, sizeof(name)));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, bind(name, "unbind"));
		ASSERT_EQ(0, bind(name, "bind"));
		ASSERT_EQ(0, wait_for_device());
		fd = open(PPIM_T_DEV, O_RDWR);
		ASSERT_EQ(0, t_info(fd, &info));
		EXPECT_EQ(info.hbm_bytes, info.hbm_free);
		ASSERT_EQ(0, t_table_setup(fd, &info, &t, &s, 84));
		t_batch_init(&b, &t, 4, 32, 85);
		EXPECT_EQ(0, t_run(fd, &b.job, 1, PPIM_ARCH_BGPIM, &r));
		EXPECT_EQ(0, t_batch_wrong(&b));
		t_batch_free(&b);
		t_table_free(&t);
		close(fd);
	}
}

/* --- the module ------------------------------------------------------------------------------ */

static int modprobe(const char *args)
{
	char line[64];

	snprintf(line, sizeof(line), "modprobe %s 2>/dev/null", args);
	return system(line);
}

TEST_F(dev, module_stays_while_a_file_is_open)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "ppim", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_TRUE(works(self));
}

TEST(module_can_be_loaded_again)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	struct ppim_ioc_info info;
	struct ppim_ioc_result r;
	struct t_table t;
	struct t_batch b;
	int fd, i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, syscall(SYS_delete_module, "ppim", O_NONBLOCK));
		EXPECT_EQ(-1, access("/sys/class/ppim", F_OK));
		ASSERT_EQ(0, modprobe("ppim"));
		ASSERT_EQ(0, wait_for_device());
		fd = open(PPIM_T_DEV, O_RDWR);
		ASSERT_EQ(0, t_info(fd, &info));
		ASSERT_EQ(0, t_table_setup(fd, &info, &t, &s, 86));
		t_batch_init(&b, &t, 4, 32, 87);
		EXPECT_EQ(0, t_run(fd, &b.job, 1, PPIM_ARCH_BGPIM, &r));
		EXPECT_EQ(0, t_batch_wrong(&b));
		t_batch_free(&b);
		t_table_free(&t);
		close(fd);
	}
}

/* Loaded with these parameters the driver works, and loads as usual afterwards. */
static void load_with(struct __test_metadata *_metadata, const char *params, int batches,
		      struct ppim_ioc_info *info)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	struct ppim_ioc_result r;
	struct t_table t;
	struct t_batch b;
	uint64_t ticket;
	int fd, i;

	ASSERT_EQ(0, syscall(SYS_delete_module, "ppim", O_NONBLOCK));
	ASSERT_EQ(0, modprobe(params));
	ASSERT_EQ(0, wait_for_device());
	fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_EQ(0, t_info(fd, info));
	ASSERT_EQ(0, t_table_setup(fd, info, &t, &s, 88));
	t_batch_init(&b, &t, 4, 32, 89);
	for (i = 0; i < batches; i++)
		ASSERT_EQ(0, t_submit(fd, &b.job, 1, &ticket));
	for (i = 0; i < batches; i++) {
		ASSERT_EQ(0, t_wait(fd, 0, -1, &r));
		EXPECT_EQ(0, r.error);
	}
	EXPECT_EQ(0, t_batch_wrong(&b));
	t_batch_free(&b);
	t_table_free(&t);
	close(fd);
	ASSERT_EQ(0, syscall(SYS_delete_module, "ppim", O_NONBLOCK));
	ASSERT_EQ(0, modprobe("ppim"));
	ASSERT_EQ(0, wait_for_device());
}

TEST(few_and_small_queues)
{
	struct ppim_ioc_info info;

	load_with(_metadata, "ppim queues=1 queue_entries=2", 50, &info);
	EXPECT_EQ(1, info.queues);
	EXPECT_EQ(2, info.queue_entries);
}

TEST(one_vector_for_all_queues)
{
	struct ppim_ioc_info before, info;
	int fd = open(PPIM_T_DEV, O_RDWR);

	ASSERT_EQ(0, t_info(fd, &before));
	close(fd);
	load_with(_metadata, "ppim one_vector=1", 200, &info);
	EXPECT_EQ(before.queues, info.queues);
}

TEST(unusable_parameters_are_made_usable)
{
	struct ppim_ioc_info info;

	load_with(_metadata, "ppim queues=0 queue_entries=0", 10, &info);
	EXPECT_EQ(1, info.queues);
	EXPECT_EQ(2, info.queue_entries);
	load_with(_metadata, "ppim queues=4000000000 queue_entries=1000000", 10, &info);
	EXPECT_GE(info.queue_entries, 2);
}

TEST_HARNESS_MAIN
