// SPDX-License-Identifier: GPL-2.0-only
/* The machine: ports, configuration space, options, what is said. */

#include "guest.h"

#define PORT_EXIT	0xf4	/* isa-debug-exit */
#define PORT_SAY	0xe9	/* isa-debugcon */
#define PORT_FW_SELECT	0x510
#define PORT_FW_DATA	0x511
#define FW_DIRECTORY	0x19

#define PORT_DEVFN	(4 << 3)	/* the root port */

/* ---- memory -------------------------------------------------------------- */

uint64_t mmio_read(uint64_t addr, uint32_t bytes)
{
	switch (bytes) {
	case 1:
		return *(volatile uint8_t *)addr;
	case 2:
		return *(volatile uint16_t *)addr;
	case 4:
		return *(volatile uint32_t *)addr;
	default:
		return *(volatile uint64_t *)addr;
	}
}

void mmio_write(uint64_t addr, uint64_t value, uint32_t bytes)
{
	switch (bytes) {
	case 1:
		*(volatile uint8_t *)addr = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)addr = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)addr = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)addr = value;
	}
}

/* The compiler makes calls of these out of assignments and loops. TCG takes a
 * string operation element by element: by eight bytes it is eight times faster. */
void *memcpy(void *to, const void *from, size_t n)
{
	size_t words = n / 8;
	void *p = to;

	n %= 8;
	__asm__ volatile("rep movsq" : "+D"(p), "+S"(from), "+c"(words) : :
			 "memory");
	__asm__ volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) : :
			 "memory");
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint64_t pattern = (uint8_t)c * 0x0101010101010101ull;
	size_t words = n / 8;
	void *p = to;

	n %= 8;
	__asm__ volatile("rep stosq" : "+D"(p), "+c"(words) : "a"(pattern) :
			 "memory");
	__asm__ volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(pattern) :
			 "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* ---- what is said -------------------------------------------------------- */

void say(const char *text)
{
	for (; *text; text++)
		outb(PORT_SAY, (uint8_t)*text);
}

static void digits(uint64_t value, uint32_t base)
{
	char text[24];
	int n = sizeof(text) - 1;

	text[n] = '\0';
	do {
		text[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	say(text + n);
}

void say_number(const char *text, uint64_t value)
{
	say(text);
	digits(value, 10);
}

void say_hex(const char *text, uint64_t value)
{
	say(text);
	digits(value, 16);
}

/* QEMU's exit status is 2 * value + 1. */
static void leave(uint8_t value)
{
	outb(PORT_EXIT, value);
	for (;;)
		__asm__ volatile("hlt");
}

void fail(const char *why)
{
	say("FAIL ");
	say(why);
	say_number(" (seed ", STATE->seed);
	say_number(", operation ", STATE->operations);
	say_hex(", status 0x", reg_read(PPIM_REG_STATUS));
	say_hex(", error 0x", reg_read(PPIM_REG_ERROR));
	say(")\n");
	leave(1);
	for (;;)
		;
}

void finish(void)
{
	say("PASS\n");
	leave(2);
	for (;;)
		;
}

/* ---- exceptions ---------------------------------------------------------- */

struct gate {
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, zero;
};

extern const uint8_t exception_entries[];
void guest_exception(uint64_t number, uint64_t code, uint64_t ip, uint64_t cr2);

void guest_exception(uint64_t number, uint64_t code, uint64_t ip, uint64_t cr2)
{
	say_number("exception ", number);
	say_hex(" code 0x", code);
	say_hex(" at 0x", ip);
	say_hex(" cr2 0x", cr2);
	say("\n");
	fail("the guest itself went wrong");
}

void traps_init(void)
{
	static struct gate idt[32];
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} ptr = { sizeof(idt) - 1, (uint64_t)idt };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(idt); i++) {
		uint64_t at = (uint64_t)exception_entries + 16 * i;

		idt[i] = (struct gate){ .low = (uint16_t)at, .selector = 24,
					.type = 0x8e,
					.middle = (uint16_t)(at >> 16),
					.high = (uint32_t)(at >> 32) };
	}
	__asm__ volatile("lidt %0" : : "m"(ptr));
}

/* ---- options: -fw_cfg name=opt/ppim/NAME,string=NUMBER ------------------- */

static uint32_t fw_be(uint32_t bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | inb(PORT_FW_DATA);
	return v;
}

/* Selects the file and returns its size; 0 if there is none. */
static uint32_t fw_find(const char *name)
{
	char file[56];
	uint32_t n, size, i;
	uint16_t key;

	outw(PORT_FW_SELECT, FW_DIRECTORY);
	for (n = fw_be(4); n; n--) {
		size = fw_be(4);
		key = (uint16_t)fw_be(2);
		fw_be(2);
		for (i = 0; i < sizeof(file); i++)
			file[i] = (char)inb(PORT_FW_DATA);
		for (i = 0; name[i] && name[i] == file[i]; i++)
			;
		if (name[i] || file[i])
			continue;
		outw(PORT_FW_SELECT, key);
		return size;
	}
	return 0;
}

uint64_t option_number(const char *name, uint64_t otherwise)
{
	uint32_t size = fw_find(name);
	uint64_t v = 0;
	uint8_t c;

	if (!size)
		return otherwise;
	for (; size; size--) {
		c = inb(PORT_FW_DATA);
		if (c < '0' || c > '9')
			break;
		v = 10 * v + c - '0';
	}
	return v;
}

/* ---- PCI ----------------------------------------------------------------- */

/* PCIEXBAR of q35's host bridge: the memory-mapped configuration space. */
void ecam_enable(void)
{
	outl(0xcf8, 0x80000060);
	outl(0xcfc, GUEST_ECAM | 1);
	outl(0xcf8, 0x80000064);
	outl(0xcfc, 0);
}

uint64_t config_addr(uint32_t bus, uint32_t devfn, uint32_t offset)
{
	return GUEST_ECAM + ((uint64_t)bus << 20) + (devfn << 12) + offset;
}

/* Writes what differs: each change of a window makes QEMU lay out its address
 * space anew. Bits outside `mask` are the function's own. */
static void config_set(uint64_t addr, uint32_t value, uint32_t mask,
		       uint32_t bytes)
{
	if (((uint32_t)mmio_read(addr, bytes) & mask) != (value & mask))
		mmio_write(addr, value, bytes);
}

static void port_set(uint32_t offset, uint32_t value, uint32_t mask,
		     uint32_t bytes)
{
	config_set(config_addr(0, PORT_DEVFN, offset), value, mask, bytes);
}

static void bar_set(uint32_t bar, uint32_t value)
{
	config_set(config_addr(DEVICE_BUS, 0, 0x10 + 4 * bar), value, ~0xfu, 4);
}

/* Address of the function's capability `id`, 0 if there is none. */
uint64_t cap_find(uint8_t id)
{
	uint32_t cap = (uint32_t)mmio_read(config_addr(DEVICE_BUS, 0, 0x34), 1);
	uint32_t n;
	uint64_t at;

	for (n = 0; n < 48 && cap >= 0x40; n++) {
		at = config_addr(DEVICE_BUS, 0, cap);
		if (mmio_read(at, 1) == id)
			return at;
		cap = (uint32_t)mmio_read(at + 1, 1);
	}
	return 0;
}

/* Power state D0 and no messages, whatever a write to configuration space had
 * left: messages of before could go to the device's own doorbells. */
static void device_wake(void)
{
	uint64_t power = cap_find(CAP_POWER), msix = cap_find(CAP_MSIX);

	if (power)
		config_set(power + 4, 0, 3, 2);
	if (msix)
		config_set(msix + 2, 0, 0xc000, 2);
}

/* Root port and function as after a clean boot, whatever they were. */
void pci_map(void)
{
	port_set(0x3e, 0, 0xffff, 2);			/* bridge control */
	port_set(0x10, 0, ~0xfu, 4);			/* no window of its own */
	port_set(0x18, 0x00010100, 0xffffff, 4);	/* buses 0, 1, 1 */
	port_set(0x20, 0xe000e000, 0xfff0fff0, 4);	/* 1 MiB of memory */
	port_set(0x24, 0xcff1c001, 0xfff0fff0, 4);	/* 256 MiB prefetchable */
	port_set(0x28, 0, ~0u, 4);
	port_set(0x2c, 0, ~0u, 4);
	port_set(0x04, 6, 0xffff, 2);
	device_wake();
	bar_set(PPIM_BAR_REGS, GUEST_REGS);
	bar_set(PPIM_BAR_MSIX, GUEST_MSIX);
	bar_set(PPIM_BAR_HBM, GUEST_HBM);
	config_set(config_addr(DEVICE_BUS, 0, 0x1c), 0, ~0u, 4);
	bar_set(PPIM_BAR_DIMM, GUEST_DIMM);
	config_set(config_addr(DEVICE_BUS, 0, 0x24), 0, ~0u, 4);
	config_set(config_addr(DEVICE_BUS, 0, 4), 6, 0xffff, 2);
}

void system_reset(void)
{
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
	for (;;)
		__asm__ volatile("hlt");
}
