// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU's emulation (-plugin counts.so,dir=DIR): how often each instruction of the guest's kernel was executed, exactly.
 * Whenever the guest calls the address MARK, it writes the counts since the boot to DIR/0, DIR/1 and so on: lines of address and count,
 * both hexadecimal; address 1 stands for all programs. `make profile` reads them.
 *
 * Debian has no package with qemu-plugin.h: what is used of it is declared here (version 1 of the interface, QEMU 4.2 and later).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum { INLINE_ADD_U64 = 0, CB_NO_REGS = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*cb)(unsigned int, void *), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *at, uint64_t add);

#define EXPORT __attribute__((visibility("default")))
#define MARK UINT64_C(0x7e57c0de000) /* MARK of profile_guest.py */
#define PROGRAMS UINT64_C(1)

enum { BITS = 22 }; /* a kernel has some hundred thousand instructions that are ever executed */

static struct {
	uint64_t address; /* 0: free */
	uint64_t count;
} places[1 << BITS];
static uint32_t used, snapshots;
static char dir[4096];

EXPORT int qemu_plugin_version = 1;

static uint64_t *counter(uint64_t address)
{
	uint64_t i = (address * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - BITS);

	while (places[i].address && places[i].address != address)
		i = (i + 1) & ((1 << BITS) - 1);
	if (!places[i].address && ++used == 1 << (BITS - 1)) {
		fprintf(stderr, "counts: more than %" PRIu32 " instructions\n", used);
		exit(1);
	}
	places[i].address = address;
	return &places[i].count;
}

static void snapshot(unsigned int cpu, void *data)
{
	char path[sizeof(dir) + 16];
	FILE *f;
	size_t i;

	(void)cpu;
	(void)data;
	snprintf(path, sizeof(path), "%s/%" PRIu32, dir, snapshots++);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	for (i = 0; i < 1 << BITS; i++)
		if (places[i].count)
			fprintf(f, "%" PRIx64 " %" PRIx64 "\n", places[i].address, places[i].count);
	fclose(f);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;

	(void)id;
	if (qemu_plugin_tb_vaddr(tb) == MARK)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, snapshot, CB_NO_REGS, NULL);
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		/* The kernel's half of the address space. */
		address = address >> 63 ? address : PROGRAMS;
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, counter(address), 1);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "dir=", 4) || strlen(argv[0]) >= sizeof(dir)) {
		fprintf(stderr, "counts: wants dir=DIR\n");
		return -1;
	}
	strcpy(dir, argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
