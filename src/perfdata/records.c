/*
 * Records decoded, with what sample_id_all appends to them.
 * Source: include/uapi/linux/perf_event.h (enum perf_event_type);
 * tools/perf/util/evsel.c (perf_evsel__parse_id_sample).
 */
#include "perfdata/internal.h"

static const struct perf_attr *attr_of(const struct perfdata *pd, uint64_t id)
{
	uint32_t i = map64_get(&pd->ids, id);

	if (i != MAP64_NONE)
		return pd->attrs[i];
	/* id 0: records made by perf itself, before any event was counted */
	return !id || pd->nr_attrs == 1 ? pd->attrs[0] : NULL;
}

/*
 * Takes the trailer off the end of the body: TID, TIME, ID, STREAM_ID, CPU,
 * IDENTIFIER, each only if the attr's sample_type has it.
 */
static bool take_sample_id(const struct perfdata *pd, struct cursor *body, struct perf_sample_id *id)
{
	const struct perf_attr *a;
	struct cursor c;
	uint64_t st;
	size_t size;

	*id = (struct perf_sample_id){0};
	if (!pd->nr_attrs)
		return true;
	a = pd->attrs[0];
	if (!a->sample_id_all)
		return true;
	if (pd->nr_attrs > 1 && pd->id_from_end) {
		if (cursor_left(body) < (size_t)pd->id_from_end)
			return false;
		id->id = perfdata_load64(body->end - pd->id_from_end, pd->swap);
		a = attr_of(pd, id->id);
		if (!a)
			return true;
	}
	id->attr = a;
	st = a->sample_type;
	size = 8 * (size_t)__builtin_popcountll(st & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
						      PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
						      PERF_SAMPLE_IDENTIFIER));
	if (size > cursor_left(body))
		return false;
	c = *body;
	c.p = c.begin = body->end - size;
	body->end -= size;
	if (st & PERF_SAMPLE_TID) {
		id->pid = cursor_u32(&c);
		id->tid = cursor_u32(&c);
	}
	if (st & PERF_SAMPLE_TIME)
		id->time = cursor_u64(&c);
	if (st & PERF_SAMPLE_ID)
		id->id = cursor_u64(&c);
	if (st & PERF_SAMPLE_STREAM_ID)
		cursor_u64(&c);
	if (st & PERF_SAMPLE_CPU) {
		id->cpu = cursor_u32(&c);
		cursor_u32(&c);
	}
	if (st & PERF_SAMPLE_IDENTIFIER)
		id->id = cursor_u64(&c);
	return true;
}

uint64_t perfdata_record_time(const struct perfdata *pd, const struct perfdata_record *rec)
{
	struct cursor c = record_body(pd, rec);
	struct perf_sample_id id;

	/* what perf writes itself has no trailer */
	if (rec->type >= RECORD_USER_TYPE_START || !take_sample_id(pd, &c, &id))
		return 0;
	if (!id.time && (rec->type == PERF_RECORD_FORK || rec->type == PERF_RECORD_EXIT) &&
	    cursor_take(&c, 16))
		return cursor_u64(&c);
	return id.time;
}

/* The rest of the body is a string that must end inside it. */
static const char *take_string(struct cursor *c)
{
	return cursor_cstr(c, NULL);
}

static int verdict(const struct cursor *c)
{
	return c->failed ? DAMAGE_RECORD_FIELD : 0;
}

int perfdata_mmap(const struct perfdata *pd, const struct perfdata_record *rec, struct perf_mmap *out,
		  struct perf_sample_id *id)
{
	struct cursor c = record_body(pd, rec);

	*out = (struct perf_mmap){.filename = ""};
	if (!take_sample_id(pd, &c, id))
		return DAMAGE_RECORD_CUT;
	out->pid = cursor_u32(&c);
	out->tid = cursor_u32(&c);
	out->addr = cursor_u64(&c);
	out->len = cursor_u64(&c);
	out->pgoff = cursor_u64(&c);
	out->prot = rec->misc & PERF_MISC_MMAP_DATA ? 3 : 5; /* PROT_READ|WRITE or READ|EXEC */
	if (rec->type == PERF_RECORD_MMAP2) {
		const uint8_t *who = cursor_take(&c, 24);

		if (who && rec->misc & PERF_MISC_MMAP_BUILD_ID) {
			out->build_id_size = who[0] <= 20 ? who[0] : 20;
			memcpy(out->build_id, who + 4, sizeof(out->build_id));
			while (out->build_id_size && !out->build_id[out->build_id_size - 1])
				out->build_id_size--;
		} else if (who) {
			out->has_inode = true;
			out->maj = load32(who, pd->swap);
			out->min = load32(who + 4, pd->swap);
			out->ino = perfdata_load64(who + 8, pd->swap);
			out->ino_generation = perfdata_load64(who + 16, pd->swap);
		}
		out->prot = cursor_u32(&c);
		cursor_u32(&c); /* flags */
	}
	out->filename = take_string(&c);
	return verdict(&c);
}

int perfdata_comm(const struct perfdata *pd, const struct perfdata_record *rec, struct perf_comm *out,
		  struct perf_sample_id *id)
{
	struct cursor c = record_body(pd, rec);

	*out = (struct perf_comm){.comm = ""};
	if (!take_sample_id(pd, &c, id))
		return DAMAGE_RECORD_CUT;
	out->pid = cursor_u32(&c);
	out->tid = cursor_u32(&c);
	out->exec = (rec->misc & PERF_MISC_COMM_EXEC) != 0;
	out->comm = take_string(&c);
	return verdict(&c);
}

int perfdata_task(const struct perfdata *pd, const struct perfdata_record *rec, struct perf_task *out,
		  struct perf_sample_id *id)
{
	struct cursor c = record_body(pd, rec);

	*out = (struct perf_task){0};
	if (!take_sample_id(pd, &c, id))
		return DAMAGE_RECORD_CUT;
	out->pid = cursor_u32(&c);
	out->ppid = cursor_u32(&c);
	out->tid = cursor_u32(&c);
	out->ptid = cursor_u32(&c);
	out->time = cursor_u64(&c);
	return verdict(&c);
}

int perfdata_ksymbol(const struct perfdata *pd, const struct perfdata_record *rec,
		     struct perf_ksymbol *out, struct perf_sample_id *id)
{
	struct cursor c = record_body(pd, rec);

	*out = (struct perf_ksymbol){.name = ""};
	if (!take_sample_id(pd, &c, id))
		return DAMAGE_RECORD_CUT;
	out->addr = cursor_u64(&c);
	out->len = cursor_u32(&c);
	out->type = cursor_u16(&c);
	out->flags = cursor_u16(&c);
	out->name = take_string(&c);
	return verdict(&c);
}

int perfdata_switch(const struct perfdata *pd, const struct perfdata_record *rec,
		    struct perf_switch *out, struct perf_sample_id *id)
{
	struct cursor c = record_body(pd, rec);

	*out = (struct perf_switch){.out = (rec->misc & PERF_MISC_SWITCH_OUT) != 0,
				    .preempt = (rec->misc & PERF_MISC_SWITCH_OUT_PREEMPT) != 0};
	if (!take_sample_id(pd, &c, id))
		return DAMAGE_RECORD_CUT;
	if (rec->type == PERF_RECORD_SWITCH_CPU_WIDE) {
		out->next_prev_pid = cursor_u32(&c);
		out->next_prev_tid = cursor_u32(&c);
	}
	return verdict(&c);
}

int perfdata_callchain_deferred(const struct perfdata *pd, const struct perfdata_record *rec,
				struct perf_callchain_deferred *out, struct perf_sample_id *id)
{
	struct cursor c = record_body(pd, rec);

	*out = (struct perf_callchain_deferred){0};
	if (!take_sample_id(pd, &c, id))
		return DAMAGE_RECORD_CUT;
	out->cookie = cursor_u64(&c);
	out->callchain_nr = cursor_u64(&c);
	if (c.failed || out->callchain_nr > cursor_left(&c) / 8)
		return DAMAGE_RECORD_FIELD;
	out->callchain = c.p;
	return 0;
}
