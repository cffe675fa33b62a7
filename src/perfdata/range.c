/*
 * The span of time of a recording that does not tell it (SAMPLE_TIME is not written to pipes, nor when
 * perf record -N or --buildid-mmap spares it the pass over its own output).
 */
#include "base/alloc.h"
#include "perfdata/internal.h"

/* The same input once more from its start. */
static struct perfdata *open_again(struct perfdata *pd, struct error *e)
{
	if (pd->form == PERFDATA_DIR)
		return perfdata_open(pd->path, -1, NULL, 0, e);
	if (!pd->mem && header_keep_stream(pd, e) < 0)
		return NULL;
	return perfdata_open_memory(pd->path, pd->mem, pd->mem_size, e);
}

int perfdata_time_range(struct perfdata *pd, uint64_t *first, uint64_t *last, struct error *e)
{
	struct perfdata *again = open_again(pd, e);
	struct perfdata_block block;
	int r = -1;

	*first = UINT64_MAX;
	*last = 0;
	while (again && (r = perfdata_next_block(again, &block, e)) > 0) {
		struct perfdata_walk walk = perfdata_walk_start(again, &block);
		struct perfdata_record rec;
		struct perf_sample_id id;

		while (perfdata_walk_next(&walk, &rec)) {
			if (rec.type != PERF_RECORD_SAMPLE || perfdata_sample_ids(again, &rec, &id) || !id.time)
				continue;
			*first = id.time < *first ? id.time : *first;
			*last = id.time > *last ? id.time : *last;
		}
		perfdata_block_recycle(again, &block);
	}
	if (*first > *last)
		*first = 0;
	if (again)
		perfdata_close(again);
	return r;
}
