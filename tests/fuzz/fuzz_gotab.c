/*
 * A pclntab as raw bytes. The first byte chooses where go:func.* begins in them.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "process/gotab_internal.h"

static void step(void *ctx, uint64_t pc, uint64_t end, int32_t delta)
{
	uint64_t *sum = ctx;

	*sum += pc ^ end ^ (uint32_t)delta;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gotab_inline frames[32], walked[32];
	struct gotab_walks *walks;
	struct gotab_func f;
	struct error e;
	struct gotab *t;
	uint64_t sum = 0;
	size_t gofunc;
	int32_t delta;

	if (size < 2)
		return 0;
	gofunc = data[0] * (size_t)16;
	data++;
	size--;
	t = gotab_from_memory(data, size, 0, &e);
	if (!t)
		return 0;
	if (gofunc < size)
		t->gofunc = (struct gotab_part){data + gofunc, size - gofunc};
	walks = gotab_walks_new();
	for (uint32_t i = 0; i < gotab_nr_funcs(t) && i < 64; i++) {
		if (!gotab_func_at(t, i, &f))
			continue;
		for (uint64_t at = 0; at < 8; at++) {
			uint64_t pc = f.entry + at * 7;

			size_t nr = gotab_inline(t, pc, frames, 32);

			/* what was walked already says the same */
			if (nr && gotab_find(t, pc, &f) &&
			    gotab_frames(t, &f, pc, GOTAB_FILES | GOTAB_LINES, walks, walked, 32) != nr)
				abort();
			for (size_t k = 0; k < nr; k++)
				if (frames[k].name != walked[k].name || frames[k].file != walked[k].file ||
				    frames[k].line != walked[k].line)
					abort();
			for (size_t k = nr; k--;)
				sum += strlen(frames[k].name) + strlen(frames[k].file);
			if (gotab_sp_delta(t, &f, pc, &delta))
				sum += (uint32_t)delta;
		}
		gotab_sp_runs(t, &f, step, &sum);
	}
	gotab_walks_free(walks);
	gotab_func_by_name(t, "runtime.mcall", &f);
	gotab_free(t);
	return 0;
}
