/*
 * Go's execution trace.
 */
#include <string.h>

#include "fuzz.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace t;
	struct error e = {.text = ""};
	int r = trace_read(&t, data, size, "trace", &e);

	if (r < 0 && !strstr(e.text, "offset"))
		__builtin_trap(); /* every error says where */
	if (!r && t.broken.text[0] && (!strstr(t.broken.text, "offset") || !damage_total(&t.damage)))
		__builtin_trap();
	for (size_t i = 0; i < t.nr_threads; i++) {
		const struct trace_thread *th = &t.threads[i];

		for (size_t k = 0; k < th->nr; k++) {
			const struct trace_span *s = &th->spans[k];

			if (s->from >= s->to || s->goroutine >= t.nr_goroutines || (k && th->spans[k - 1].to > s->from))
				__builtin_trap();
			if (trace_running(&t, th->tid, s->from) != s || trace_running(&t, th->tid, s->to - 1) != s)
				__builtin_trap();
		}
	}
	for (size_t i = 0; i < t.nr_cpu_samples; i++)
		if (t.cpu_samples[i].stack >= t.nr_stacks)
			__builtin_trap();
	trace_release(&t);
	return 0;
}
