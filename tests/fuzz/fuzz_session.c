/*
 * A perf.data whose records make processes: frozen in small steps, as a stream
 * is, with questions in between.
 */
#include "fuzz.h"
#include "process/session.h"

enum { STEP = 3 };

static void ask(const struct session *s, const struct perf_sample_id *id, uint64_t addr)
{
	uint64_t from, to, t = id->time;
	char buf[16];

	session_comm_text(s, session_comm(s, id->pid, id->tid, t), buf, sizeof(buf));
	session_kernel_module(s, addr, t, &from, &to);
	if (from > t || to < t)
		__builtin_trap();
	session_map(s, session_image(s, id->pid, t), addr, t, &from, &to);
	if (from > t || to < t)
		__builtin_trap();
}

static void walk(struct session *s, struct perfdata *pd, struct perfdata_block *b)
{
	struct perfdata_walk w = perfdata_walk_start(pd, b);
	struct perfdata_record rec;
	struct perf_sample_id id;
	size_t nr = 0;

	while (perfdata_walk_next(&w, &rec)) {
		session_apply(s, pd, &rec, false);
		if (++nr % STEP)
			continue;
		session_freeze(s, pd, perfdata_record_time(pd, &rec));
		session_build_ids(s, pd);
		if (rec.type == PERF_RECORD_SAMPLE && !perfdata_sample_ids(pd, &rec, &id))
			ask(s, &id, 0x1000 * nr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct session_options opts = {.modules = {.debug_dir = "/nonexistent"}};
	struct perf_sample_id any = {.pid = 1, .tid = 1, .time = 1000};
	struct perfdata_block b;
	struct error e;
	struct perfdata *pd = perfdata_open_memory("fuzz", data, size, &e);
	struct session *s;

	if (!pd)
		return 0;
	s = session_new(&opts);
	while (perfdata_next_block(pd, &b, &e) > 0) {
		walk(s, pd, &b);
		perfdata_block_release(&b);
	}
	session_freeze(s, pd, UINT64_MAX);
	ask(s, &any, 0x1000);
	session_free(s);
	perfdata_close(pd);
	return 0;
}
