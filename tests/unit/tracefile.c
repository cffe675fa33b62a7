#include "tracefile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void put_uleb(struct build *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put8(b, (uint8_t)(v | 0x80));
	put8(b, (uint8_t)v);
}

void trace_begin(struct build *b, unsigned version)
{
	char text[32];

	snprintf(text, sizeof(text), "go 1.%u trace", version);
	put_bytes(b, text, strlen(text));
	put_bytes(b, "\0\0", 3);
}

void batch_begin(struct build *b, uint64_t generation, uint64_t thread, uint64_t time)
{
	put8(b, 1);
	put_uleb(b, generation);
	put_uleb(b, thread);
	put_uleb(b, time);
	b->record = b->nr;
	put8(b, 0);
}

void batch_end(struct build *b)
{
	b->data[b->record] = (uint8_t)(b->nr - b->record - 1);
}

void put_event(struct build *b, unsigned type, int nr, ...)
{
	va_list ap;

	va_start(ap, nr);
	put8(b, (uint8_t)type);
	for (int i = 0; i < nr; i++)
		put_uleb(b, va_arg(ap, uint64_t));
	va_end(ap);
}

void put_string(struct build *b, uint64_t generation, uint64_t id, const char *text)
{
	batch_begin(b, generation, UINT64_MAX, 1000);
	put8(b, 4);
	put8(b, 5);
	put_uleb(b, id);
	put_uleb(b, strlen(text));
	put_bytes(b, text, strlen(text));
	batch_end(b);
}

void put_stack(struct build *b, uint64_t generation, uint64_t id, uint64_t pc, uint64_t func, uint64_t file)
{
	batch_begin(b, generation, UINT64_MAX, 1000);
	put8(b, 2);
	put_event(b, 3, 2, id, UINT64_C(1));
	put_uleb(b, pc);
	put_uleb(b, func);
	put_uleb(b, file);
	put_uleb(b, 42);
	batch_end(b);
}

void put_clocks(struct build *b, unsigned version, uint64_t generation, uint64_t time)
{
	batch_begin(b, generation, UINT64_MAX, time);
	if (version >= 25)
		put8(b, 50);
	put_event(b, 8, 1, UINT64_C(15625000));
	if (version >= 25)
		put_event(b, 51, 4, UINT64_C(0), time * 64, UINT64_C(1700000000), UINT64_C(5));
	batch_end(b);
}

void put_generation_end(struct build *b, unsigned version)
{
	if (version >= 26)
		put8(b, 52);
}

#define U(x) UINT64_C(x)

void sample_trace(struct build *b, unsigned version)
{
	trace_begin(b, version);
	put_clocks(b, version, 1, 1000);
	put_string(b, 1, 1, "main.main");
	put_string(b, 1, 2, "main.go");
	put_string(b, 1, 3, "main.worker");
	put_string(b, 1, 4, "chan receive");
	put_string(b, 1, 5, "stop-the-world (test)");
	put_stack(b, 1, 1, 0x1001, 1, 2);
	put_stack(b, 1, 2, 0x2001, 3, 2);
	batch_begin(b, 1, 7, 1000);
	put_event(b, 13, 3, U(0), U(0), U(1));	     /* 1000 ProcStatus 0 running */
	put_event(b, 25, 4, U(5), U(1), U(7), U(2)); /* 1005 GoStatus 1 running */
	put_event(b, 14, 4, U(5), U(2), U(2), U(1)); /* 1010 GoCreate 2 */
	put_event(b, 26, 3, U(2), U(5), U(1));	     /* 1012 STWBegin */
	put_event(b, 27, 1, U(3));		     /* 1015 STWEnd */
	put_event(b, 20, 3, U(5), U(4), U(1));	     /* 1020 GoBlock */
	put_event(b, 16, 3, U(10), U(2), U(1));	     /* 1030 GoStart 2 */
	put_event(b, 22, 3, U(10), U(1), U(2));	     /* 1040 GoSyscallBegin */
	put_event(b, 23, 1, U(10));		     /* 1050 GoSyscallEnd */
	put_event(b, 21, 4, U(5), U(1), U(1), U(0)); /* 1055 GoUnblock 1 */
	put_event(b, 17, 1, U(5));		     /* 1060 GoDestroy */
	put_event(b, 11, 1, U(2));		     /* 1062 ProcStop */
	batch_end(b);
	batch_begin(b, 1, 8, 1050); /* its clock: before what it depends on */
	put_event(b, 10, 3, U(1), U(0), U(2));	/* 1051 ProcStart 0 */
	put_event(b, 16, 3, U(1), U(1), U(2));	/* 1052 GoStart 1 */
	put_event(b, 20, 3, U(20), U(4), U(1)); /* 1072 GoBlock */
	batch_end(b);
	batch_begin(b, 1, UINT64_MAX, 1000);
	put8(b, 6);
	put_event(b, 7, 5, U(1045), U(7), U(0), U(2), U(2)); /* CPUSample */
	batch_end(b);
	put_generation_end(b, version);
}
