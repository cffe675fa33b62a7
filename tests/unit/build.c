#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "perfdata/perfdata.h"

void put_bytes(struct build *b, const void *p, size_t n)
{
	ALLOC_GROW(b->data, b->nr + n, b->alloc);
	if (p)
		memcpy(b->data + b->nr, p, n);
	else
		memset(b->data + b->nr, 0, n);
	b->nr += n;
}

void put8(struct build *b, uint8_t v)
{
	put_bytes(b, &v, 1);
}

void put16(struct build *b, uint16_t v)
{
	v = b->swap ? __builtin_bswap16(v) : v;
	put_bytes(b, &v, 2);
}

void put32(struct build *b, uint32_t v)
{
	v = b->swap ? __builtin_bswap32(v) : v;
	put_bytes(b, &v, 4);
}

void put64(struct build *b, uint64_t v)
{
	v = b->swap ? __builtin_bswap64(v) : v;
	put_bytes(b, &v, 8);
}

void put_str(struct build *b, const char *s, size_t padded)
{
	size_t len = strlen(s) + 1;

	put_bytes(b, s, len);
	put_bytes(b, NULL, padded - len);
}

static void set64(struct build *b, size_t at, uint64_t v)
{
	v = b->swap ? __builtin_bswap64(v) : v;
	memcpy(b->data + at, &v, 8);
}

/* The flags as a bit field: each byte's bits are reversed on the other byte order. */
static void put_flags(struct build *b, uint64_t flags)
{
	for (int i = 0; i < 8; i++) {
		uint8_t v = (uint8_t)(flags >> (8 * i)), r = 0;

		for (int k = 0; k < 8; k++)
			r = (uint8_t)(r | (v >> k & 1) << (7 - k));
		put8(b, b->swap ? r : v);
	}
}

static void put_attr(struct build *b, const struct build_attr *a)
{
	size_t start = b->nr, size = a->size ? a->size : 136;

	put32(b, a->type);
	put32(b, (uint32_t)size);
	put64(b, a->config);
	put64(b, a->period);
	put64(b, a->sample_type);
	put64(b, a->read_format);
	put_flags(b, a->flags);
	put_bytes(b, NULL, 24);
	put64(b, a->branch_type);
	put64(b, a->regs_user);
	put32(b, a->stack_user);
	put32(b, a->clockid);
	put64(b, a->regs_intr);
	put_bytes(b, NULL, 4096);
	b->nr = start + size;
}

void file_begin(struct build *b, const struct build_attr *attrs, size_t nr)
{
	size_t entry = (attrs[0].size ? attrs[0].size : 136) + 16, at, ids[16];

	put64(b, UINT64_C(0x32454c4946524550));
	put64(b, 104);
	put64(b, entry);
	put64(b, 0); /* attrs: filled in below */
	put64(b, entry * nr);
	put_bytes(b, NULL, 104 - 40);
	for (size_t i = 0; i < nr; i++) {
		ids[i] = b->nr;
		for (size_t k = 0; k < attrs[i].nr_ids; k++)
			put64(b, attrs[i].ids[k]);
	}
	at = b->nr;
	for (size_t i = 0; i < nr; i++) {
		put_attr(b, &attrs[i]);
		put64(b, ids[i]);
		put64(b, attrs[i].nr_ids * 8);
	}
	set64(b, 24, at);
	set64(b, 40, b->nr); /* data */
}

void pipe_begin(struct build *b, const struct build_attr *attrs, size_t nr)
{
	put64(b, UINT64_C(0x32454c4946524550));
	put64(b, 16);
	for (size_t i = 0; i < nr; i++) {
		record_begin(b, PERF_RECORD_HEADER_ATTR, 0);
		put_attr(b, &attrs[i]);
		for (size_t k = 0; k < attrs[i].nr_ids; k++)
			put64(b, attrs[i].ids[k]);
		record_end(b);
	}
}

void record_begin(struct build *b, uint32_t type, uint16_t misc)
{
	b->record = b->nr;
	put32(b, type);
	put16(b, misc);
	put16(b, 0);
}

void record_end(struct build *b)
{
	uint16_t size = (uint16_t)(b->nr - b->record);

	size = b->swap ? __builtin_bswap16(size) : size;
	memcpy(b->data + b->record + 6, &size, 2);
}

void file_end(struct build *b, const struct build_feature *f, size_t nr)
{
	uint64_t data = perfdata_load64(b->data + 40, b->swap), bits[4] = {0};
	size_t table = b->nr;

	set64(b, 48, b->nr - data);
	put_bytes(b, NULL, nr * 16);
	for (size_t i = 0; i < nr; i++) {
		bits[f[i].id / 64] |= UINT64_C(1) << (f[i].id % 64);
		set64(b, table + i * 16, b->nr);
		set64(b, table + i * 16 + 8, f[i].size);
		put_bytes(b, f[i].data, f[i].size);
	}
	for (size_t i = 0; i < 4; i++)
		set64(b, 72 + i * 8, bits[i]);
}

void build_free(struct build *b)
{
	free(b->data);
	*b = (struct build){0};
}

static void put_trailer(struct build *b, uint32_t pid, uint32_t tid, uint64_t time)
{
	put32(b, pid);
	put32(b, tid);
	put64(b, time);
	record_end(b);
}

void put_mmap2(struct build *b, uint32_t pid, uint64_t addr, uint64_t len, uint64_t pgoff, const char *name, uint64_t time)
{
	record_begin(b, PERF_RECORD_MMAP2, PERF_CPUMODE_USER);
	put32(b, pid);
	put32(b, pid);
	put64(b, addr);
	put64(b, len);
	put64(b, pgoff);
	put_bytes(b, NULL, 24);
	put32(b, 5);
	put32(b, 2);
	put_str(b, name, (strlen(name) + 8) / 8 * 8);
	put_trailer(b, pid, pid, time);
}

void put_comm(struct build *b, uint32_t pid, uint32_t tid, const char *comm, uint16_t misc, uint64_t time)
{
	record_begin(b, PERF_RECORD_COMM, misc);
	put32(b, pid);
	put32(b, tid);
	put_str(b, comm, (strlen(comm) + 8) / 8 * 8);
	put_trailer(b, pid, tid, time);
}

static void put_task(struct build *b, uint32_t type, uint32_t pid, uint32_t ppid, uint32_t tid, uint32_t ptid, uint64_t time)
{
	record_begin(b, type, 0);
	put32(b, pid);
	put32(b, ppid);
	put32(b, tid);
	put32(b, ptid);
	put64(b, time);
	put_trailer(b, ppid, ptid, time);
}

void put_fork(struct build *b, uint32_t pid, uint32_t ppid, uint32_t tid, uint32_t ptid, uint64_t time)
{
	put_task(b, PERF_RECORD_FORK, pid, ppid, tid, ptid, time);
}

void put_exit(struct build *b, uint32_t pid, uint32_t tid, uint64_t time)
{
	put_task(b, PERF_RECORD_EXIT, pid, pid, tid, tid, time);
}

static void put_file(struct build *b, const char *text)
{
	put64(b, strlen(text));
	put_bytes(b, text, strlen(text));
}

void put_tracing_data(struct build *b, const char *const *formats, uint32_t nr)
{
	put_bytes(b, "\x17\x08\x44tracing0.6", 14);
	put_bytes(b, (uint8_t[]){(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != b->swap, 8}, 2);
	put32(b, 4096);
	put_bytes(b, "header_page", 12);
	put_file(b, "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n");
	put_bytes(b, "header_event", 13);
	put_file(b, "# compressed entry header\n");
	put32(b, 1);
	put_file(b, "name: function\nID: 1\nformat:\n");
	put32(b, 1);
	put_bytes(b, "sched", 6);
	put32(b, nr);
	for (uint32_t i = 0; i < nr; i++)
		put_file(b, formats[i]);
	put32(b, 0); /* kallsyms */
	put32(b, 0); /* printk formats */
	put64(b, 0); /* saved command lines */
}
