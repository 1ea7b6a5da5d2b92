// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: the device is started as a driver would, some hundred random
 * operations are done to it, it is reset in one of the ways that there are,
 * and has to start again and, often, to give a right answer.
 *
 * Options: opt/ppim/seed, opt/ppim/operations, opt/ppim/iommu (1: the device is
 * behind -device intel-iommu, and its mappings go wrong). QEMU's exit status is
 * 5 when all was well, 3 when not; what happened is on the debug console.
 */

#include "guest.h"

#define MAGIC		0x6d6964746e617264ull
#define TELL_EVERY	1000000

static const char *const kind_names[] = {
	"reads", "writes", "config", "windows", "commands", "admin",
	"doorbells", "waits",
};
static const char *const reset_names[] = { "ctrl", "flr", "bus", "system",
					   "fatal", "message" };

void guest_main(void);

static void tell(void)
{
	uint32_t i;

	say_number("seed ", STATE->seed);
	say_number(" operations ", STATE->operations);
	say_number(" sessions ", STATE->sessions);
	say_number(" verified ", STATE->verified);
	say_number(" completions ", STATE->completions);
	for (i = 0; i < ARRAY_SIZE(kind_names); i++) {
		say(" ");
		say(kind_names[i]);
		say_number(" ", STATE->kinds[i]);
	}
	for (i = 0; i < ARRAY_SIZE(reset_names); i++) {
		say(" reset-");
		say(reset_names[i]);
		say_number(" ", STATE->resets[i]);
	}
	for (i = 0; i < PPIM_ST_COUNT; i++) {
		say_number(" status-", i);
		say_number(" ", STATE->statuses[i]);
	}
	for (i = 1; i < ARRAY_SIZE(STATE->fatals); i++) {
		say_number(" error-", i);
		say_number(" ", STATE->fatals[i]);
	}
	say_hex(" digest ", STATE->digest);
	say("\n");
}

static void progress(void)
{
	if (STATE->operations < STATE->told + TELL_EVERY)
		return;
	STATE->told = STATE->operations;
	tell();
}

/* Configuration space may have moved another window over the registers. */
static bool fatal_seen(void)
{
	uint32_t error;

	if (reg_read(PPIM_REG_MAGIC) != PPIM_MAGIC ||
	    !(reg_read(PPIM_REG_STATUS) & PPIM_STS_FATAL))
		return false;
	error = reg_read(PPIM_REG_ERROR);
	if (error == PPIM_HWERR_NONE || error > PPIM_HWERR_LINK)
		fail("fatal, and no such error");
	STATE->fatals[error]++;
	return true;
}

static void session(void)
{
	uint64_t n = 1 + random_below(400), i;

	STATE->sessions++;
	chaos_session_begin();
	for (i = 0; i < n; i++) {
		chaos_step();
		if (i % 16 == 15 && fatal_seen()) {
			device_reset(BY_FATAL);
			return;
		}
	}
	switch (random_below(64)) {
	case 0:
		return device_reset(BY_SYSTEM);
	case 1 ... 8:
		return device_reset(BY_BUS);
	case 9 ... 16:
		return device_reset(BY_MESSAGE);
	case 17 ... 30:
		return device_reset(BY_FLR);
	default:
		return device_reset(BY_CTRL);
	}
}

/* Memory that the device was not told of, and whether it let it be. */
static void untold_fill(void)
{
	memset((void *)GUEST_UNTOLD, 0xa5, GUEST_UNTOLD_BYTES);
}

static void untold_check(void)
{
	const uint64_t *p = (const uint64_t *)GUEST_UNTOLD;
	uint64_t i;

	for (i = 0; i < GUEST_UNTOLD_BYTES / 8; i++)
		if (p[i] != 0xa5a5a5a5a5a5a5a5ull)
			fail("memory was written that the device was not told of");
}

static void first_start(void)
{
	memset(STATE, 0, sizeof(*STATE));
	STATE->magic = MAGIC;
	STATE->seed = option_number("opt/ppim/seed", 1);
	STATE->limit = option_number("opt/ppim/operations", 100000);
	STATE->iommu = option_number("opt/ppim/iommu", 0);
	STATE->random = STATE->seed;
	untold_fill();
}

void guest_main(void)
{
	traps_init();
	ecam_enable();
	if (STATE->magic != MAGIC)
		first_start();
	iommu_start();
	pci_map();
	while (STATE->operations < STATE->limit) {
		if (!device_start())
			fail("the device is gone");
		if (random_below(2))
			answer_verify();
		session();
		progress();
	}
	if (!device_start())
		fail("the device is gone");
	answer_verify();
	untold_check();
	tell();
	finish();
}
