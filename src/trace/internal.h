/*
 * Private to trace/: the events' table, a generation's tables, the order.
 */
#ifndef TRACE_INTERNAL_H
#define TRACE_INTERNAL_H

#include "base/cursor.h"
#include "trace/trace.h"

/* Limits of the format (tracev2/events.go). */
#define MAX_BATCH 65536
#define MAX_FRAMES 128
#define MAX_STRING 1024
#define MAX_ARGS 5 /* with the time */

/* Structural: they make up batches, not the stream of a thread. */
#define FOREACH_STRUCTURE(X)                                                   \
	X(EV_BATCH, 1, "EventBatch") X(EV_STACKS, 2, "Stacks") X(EV_STACK, 3, "Stack") \
	X(EV_STRINGS, 4, "Strings") X(EV_STRING, 5, "String")                  \
	X(EV_CPU_SAMPLES, 6, "CPUSamples") X(EV_CPU_SAMPLE, 7, "CPUSample")    \
	X(EV_FREQUENCY, 8, "Frequency") X(EV_EXPERIMENTAL_BATCH, 49, "ExperimentalBatch") \
	X(EV_SYNC, 50, "Sync") X(EV_CLOCK_SNAPSHOT, 51, "ClockSnapshot")       \
	X(EV_END_OF_GENERATION, 52, "EndOfGeneration")

#define ARG(n) (1u << (n))
/*
 * Timed: id, number, name, arguments beside the time, what Go's reader makes of
 * it, which arguments (0 is the first behind the time) are stacks, and strings.
 */
#define FOREACH_EVENT(X)                                                       \
	X(EV_PROCS_CHANGE, 9, "ProcsChange", 2, TRACE_METRIC, ARG(1), 0)       \
	X(EV_PROC_START, 10, "ProcStart", 2, TRACE_STATE_TRANSITION, 0, 0)     \
	X(EV_PROC_STOP, 11, "ProcStop", 0, TRACE_STATE_TRANSITION, 0, 0)       \
	X(EV_PROC_STEAL, 12, "ProcSteal", 3, TRACE_STATE_TRANSITION, 0, 0)     \
	X(EV_PROC_STATUS, 13, "ProcStatus", 2, TRACE_STATE_TRANSITION, 0, 0)   \
	X(EV_GO_CREATE, 14, "GoCreate", 3, TRACE_STATE_TRANSITION, ARG(1) | ARG(2), 0) \
	X(EV_GO_CREATE_SYSCALL, 15, "GoCreateSyscall", 1, TRACE_STATE_TRANSITION, 0, 0) \
	X(EV_GO_START, 16, "GoStart", 2, TRACE_STATE_TRANSITION, 0, 0)         \
	X(EV_GO_DESTROY, 17, "GoDestroy", 0, TRACE_STATE_TRANSITION, 0, 0)     \
	X(EV_GO_DESTROY_SYSCALL, 18, "GoDestroySyscall", 0, TRACE_STATE_TRANSITION, 0, 0) \
	X(EV_GO_STOP, 19, "GoStop", 2, TRACE_STATE_TRANSITION, ARG(1), ARG(0)) \
	X(EV_GO_BLOCK, 20, "GoBlock", 2, TRACE_STATE_TRANSITION, ARG(1), ARG(0)) \
	X(EV_GO_UNBLOCK, 21, "GoUnblock", 3, TRACE_STATE_TRANSITION, ARG(2), 0) \
	X(EV_GO_SYSCALL_BEGIN, 22, "GoSyscallBegin", 2, TRACE_STATE_TRANSITION, ARG(1), 0) \
	X(EV_GO_SYSCALL_END, 23, "GoSyscallEnd", 0, TRACE_STATE_TRANSITION, 0, 0) \
	X(EV_GO_SYSCALL_END_BLOCKED, 24, "GoSyscallEndBlocked", 0, TRACE_STATE_TRANSITION, 0, 0) \
	X(EV_GO_STATUS, 25, "GoStatus", 3, TRACE_STATE_TRANSITION, 0, 0)       \
	X(EV_STW_BEGIN, 26, "STWBegin", 2, TRACE_RANGE_BEGIN, ARG(1), ARG(0))  \
	X(EV_STW_END, 27, "STWEnd", 0, TRACE_RANGE_END, 0, 0)                  \
	X(EV_GC_ACTIVE, 28, "GCActive", 1, TRACE_RANGE_ACTIVE, 0, 0)           \
	X(EV_GC_BEGIN, 29, "GCBegin", 2, TRACE_RANGE_BEGIN, ARG(1), 0)         \
	X(EV_GC_END, 30, "GCEnd", 1, TRACE_RANGE_END, 0, 0)                    \
	X(EV_SWEEP_ACTIVE, 31, "GCSweepActive", 1, TRACE_RANGE_ACTIVE, 0, 0)   \
	X(EV_SWEEP_BEGIN, 32, "GCSweepBegin", 1, TRACE_RANGE_BEGIN, ARG(0), 0) \
	X(EV_SWEEP_END, 33, "GCSweepEnd", 2, TRACE_RANGE_END, 0, 0)            \
	X(EV_ASSIST_ACTIVE, 34, "GCMarkAssistActive", 1, TRACE_RANGE_ACTIVE, 0, 0) \
	X(EV_ASSIST_BEGIN, 35, "GCMarkAssistBegin", 1, TRACE_RANGE_BEGIN, ARG(0), 0) \
	X(EV_ASSIST_END, 36, "GCMarkAssistEnd", 0, TRACE_RANGE_END, 0, 0)      \
	X(EV_HEAP_ALLOC, 37, "HeapAlloc", 1, TRACE_METRIC, 0, 0)               \
	X(EV_HEAP_GOAL, 38, "HeapGoal", 1, TRACE_METRIC, 0, 0)                 \
	X(EV_GO_LABEL, 39, "GoLabel", 1, TRACE_LABEL, 0, ARG(0))               \
	X(EV_TASK_BEGIN, 40, "UserTaskBegin", 4, TRACE_TASK_BEGIN, ARG(3), ARG(2)) \
	X(EV_TASK_END, 41, "UserTaskEnd", 2, TRACE_TASK_END, ARG(1), 0)        \
	X(EV_REGION_BEGIN, 42, "UserRegionBegin", 3, TRACE_REGION_BEGIN, ARG(2), ARG(1)) \
	X(EV_REGION_END, 43, "UserRegionEnd", 3, TRACE_REGION_END, ARG(2), ARG(1)) \
	X(EV_LOG, 44, "UserLog", 4, TRACE_LOG, ARG(3), ARG(1) | ARG(2))        \
	X(EV_GO_SWITCH, 45, "GoSwitch", 2, TRACE_STATE_TRANSITION, 0, 0)       \
	X(EV_GO_SWITCH_DESTROY, 46, "GoSwitchDestroy", 2, TRACE_STATE_TRANSITION, 0, 0) \
	X(EV_GO_CREATE_BLOCKED, 47, "GoCreateBlocked", 3, TRACE_STATE_TRANSITION, ARG(1) | ARG(2), 0) \
	X(EV_GO_STATUS_STACK, 48, "GoStatusStack", 4, TRACE_STATE_TRANSITION, ARG(3), 0) \
	X(EV_SPAN, 128, "Span", 3, TRACE_EXPERIMENTAL, 0, 0)                   \
	X(EV_SPAN_ALLOC, 129, "SpanAlloc", 3, TRACE_EXPERIMENTAL, 0, 0)        \
	X(EV_SPAN_FREE, 130, "SpanFree", 1, TRACE_EXPERIMENTAL, 0, 0)          \
	X(EV_HEAP_OBJECT, 131, "HeapObject", 2, TRACE_EXPERIMENTAL, 0, 0)      \
	X(EV_HEAP_OBJECT_ALLOC, 132, "HeapObjectAlloc", 2, TRACE_EXPERIMENTAL, 0, 0) \
	X(EV_HEAP_OBJECT_FREE, 133, "HeapObjectFree", 1, TRACE_EXPERIMENTAL, 0, 0) \
	X(EV_GOROUTINE_STACK, 134, "GoroutineStack", 2, TRACE_EXPERIMENTAL, 0, 0) \
	X(EV_GOROUTINE_STACK_ALLOC, 135, "GoroutineStackAlloc", 2, TRACE_EXPERIMENTAL, 0, 0) \
	X(EV_GOROUTINE_STACK_FREE, 136, "GoroutineStackFree", 1, TRACE_EXPERIMENTAL, 0, 0)

enum event_type {
#define X(id, number, ...) id = (number),
	FOREACH_STRUCTURE(X)
	FOREACH_EVENT(X)
#undef X
};

struct event_spec {
	const char *name;
	uint8_t nr_args;
	uint8_t kind, stacks, strings;
	bool timed;
};
extern const struct event_spec event_specs[256];

/* An event of a thread's stream. time: ns. */
struct event {
	uint64_t time, args[MAX_ARGS - 1];
	uint64_t offset; /* in the file */
	uint8_t type;
};

struct batch {
	uint64_t thread, time; /* time in the trace's units */
	const uint8_t *data;
	size_t size;
	uint64_t offset; /* of data in the file */
	uint32_t next;	 /* of the same thread, index + 1 */
};

/* A thread's batches within a generation, and how far they were read. */
struct stream {
	uint64_t thread;
	uint32_t first, last; /* batches, index + 1 */
	uint32_t at;	      /* the batch that is read, index + 1, 0: at the end */
	struct cursor c;
	uint64_t last_time; /* ns; 0: not known yet */
	bool started;
	struct event ev; /* the next one */
};

/* A generation's strings, stacks and samples; ids hold within it alone. */
struct tables {
	struct map64 string_index, stack_index, pc_index;
	struct table_string {
		const char *text;
		uint32_t len, id; /* id in trace.strings, UINT32_MAX: not asked for yet */
	} *strings;
	struct table_frame {
		uint64_t pc, func, file, line; /* func, file: string ids */
	} *frames;
	uint32_t *stack_frames; /* indexes of frames */
	struct table_stack {
		uint32_t first, nr;
		uint32_t id; /* in trace.stacks, UINT32_MAX: not asked for yet */
		uint64_t offset;
	} *stacks;
	struct trace_cpu_sample *samples; /* stack is not set: see sample_stacks */
	uint64_t *sample_stacks;	  /* ids */
	size_t nr_strings, nr_frames, nr_stack_frames, nr_stacks, nr_samples;
	size_t alloc_strings, alloc_frames, alloc_stack_frames, alloc_stacks, alloc_samples, alloc_sample_stacks;
	uint64_t units; /* of time per second, 0: not told */
	bool has_snapshot;
	uint64_t snapshot_time, snapshot_mono, snapshot_sec, snapshot_nsec; /* time in units */
};

struct order;

struct reader {
	struct trace *t;
	const char *path;
	struct cursor c; /* the file */
	struct error *e;

	uint64_t generation; /* its number, 0: none yet */
	bool first;	     /* the trace's first with events */
	bool ordered;	     /* an event was */
	struct batch *batches;
	size_t nr_batches, alloc_batches;
	struct stream *streams;
	size_t nr_streams, alloc_streams;
	struct map64 stream_index;
	struct tables tables;
	double unit; /* ns */
	uint64_t min_time, min_event_time; /* units; of all batches, of those of events; 0 none */

	struct order *order;
	uint64_t began; /* ns: where the trace begins for Go's reader */
	uint64_t last; /* ns: time of the event before, as Go's reader shows it */
	uint64_t failures, advanced; /* streams tried in vain, and events found by trying */

	bool more;	      /* before 1.26: the next generation's first batch was seen */
	struct error spilled; /* before 1.26: why there is no batch after the generation's last */
	enum damage_kind damage;
	uint64_t damage_offset;
};

/*
 * Sets *r->e to "PATH: generation G: WHAT at OFFSET" and returns -1.
 */
int reader_fail(struct reader *r, uint64_t offset, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Units of time to ns, saturating. */
uint64_t reader_ns(const struct reader *r, uint64_t units);
static inline uint64_t add_time(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum < a || sum > INT64_MAX ? INT64_MAX : sum;
}

/* --- tables.c ------------------------------------------------------------------------- */

/* Takes a batch of strings, stacks, samples or clocks; 1 when it is one of these, 0 when not, -1 with *r->e. */
int tables_take(struct reader *r, const struct batch *b);
/* Once a generation is read: every stack's frames have names. 0 or -1 with *r->e. */
int tables_check(struct reader *r);
void tables_clear(struct tables *tab);
bool tables_have_string(const struct tables *tab, uint64_t id);
bool tables_have_stack(const struct tables *tab, uint64_t id);
/* In trace.strings and trace.stacks; 0 for what is not there. */
uint32_t tables_string(struct reader *r, uint64_t id);
uint32_t tables_stack(struct reader *r, uint64_t id);

/* --- order.c --------------------------------------------------------------------------- */

struct order *order_new(void);
void order_free(struct order *o);
/*
 * Tries the next event of a thread: 1 it was its turn, 0 another thread's must
 * come first, -1 with *r->e: no order of events makes sense of it.
 */
int order_advance(struct reader *r, const struct stream *s);

/* --- track.c: what advanced events say, to the trace ------------------------------------- */

/* The goroutine's index, made when it is new. */
uint32_t track_goroutine(struct trace *t, uint64_t goid);
/* It is in another state from that time (as Go's reader shows it) on. */
void track_state(struct trace *t, uint32_t goroutine, enum trace_state state, uint64_t time);
/* What it stopped with, to come into the state it is in now: both 0 where that is not known. */
void track_wait(struct trace *t, uint32_t goroutine, uint32_t stack, uint32_t why);
/* A goroutine has a thread from that time of the thread on, and has it no more. */
void track_open(struct trace *t, uint64_t tid, uint32_t goroutine, enum trace_state state, uint64_t from);
void track_close(struct trace *t, uint64_t tid, uint64_t to);
/* The entry function, from a stack of the goroutine's own whose root is it. */
void track_entry(struct trace *t, uint32_t goroutine, uint32_t stack);
/* No more events: what is open ends, spans are put in order. */
void track_finish(struct trace *t);

#endif
