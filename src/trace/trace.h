/*
 * Go's execution trace, format v2 (Go 1.22 and later; headers 1.22, 1.23, 1.25
 * and 1.26): which goroutine ran on which thread from when to when.
 *
 * The bytes are read, and the events of all threads put in order and checked,
 * as Go's own reader does it: what that refuses is refused here, with its words.
 * Sources: Go src/internal/trace/tracev2/{doc,events}.go (format, limits),
 * batch.go, generation.go, batchcursor.go, reader.go (batches, tables, merging of
 * threads), order.go (the rules of each event), event.go (kinds);
 * runtime/tracetime.go (clock), runtime/tracestack.go (what stacks hold).
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/damage.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/strtab.h"

/* What Go's reader makes of events (event.go, EventKind). */
#define FOREACH_TRACE_KIND(X)                                                  \
	X(TRACE_SYNC, "Sync") X(TRACE_METRIC, "Metric") X(TRACE_LABEL, "Label") \
	X(TRACE_STACK_SAMPLE, "StackSample") X(TRACE_RANGE_BEGIN, "RangeBegin") \
	X(TRACE_RANGE_ACTIVE, "RangeActive") X(TRACE_RANGE_END, "RangeEnd")    \
	X(TRACE_TASK_BEGIN, "TaskBegin") X(TRACE_TASK_END, "TaskEnd")          \
	X(TRACE_REGION_BEGIN, "RegionBegin") X(TRACE_REGION_END, "RegionEnd")  \
	X(TRACE_LOG, "Log") X(TRACE_STATE_TRANSITION, "StateTransition")       \
	X(TRACE_EXPERIMENTAL, "Experimental")
enum trace_kind {
#define X(id, name) id,
	FOREACH_TRACE_KIND(X)
#undef X
	TRACE_KINDS
};
const char *trace_kind_name(enum trace_kind k);

/* What a goroutine does; the numbers are the format's (events.go, GoStatus). */
#define FOREACH_TRACE_STATE(X)                                                 \
	X(TRACE_GONE, "gone") /* not there yet, or no more */                  \
	X(TRACE_RUNNABLE, "runnable") X(TRACE_RUNNING, "running")              \
	X(TRACE_IN_SYSCALL, "syscall") X(TRACE_WAITING, "waiting")
enum trace_state {
#define X(id, name) id,
	FOREACH_TRACE_STATE(X)
#undef X
	TRACE_STATES
};
const char *trace_state_name(enum trace_state s);

#define TRACE_NO_THREAD UINT64_MAX
#define TRACE_NO_GOROUTINE UINT64_MAX

struct trace_frame {
	uint64_t pc;
	uint32_t func, file; /* strings */
	uint32_t line;
};

/* Leaf first. Stack 0 is the empty one. */
struct trace_stack {
	uint32_t first, nr; /* into trace.frames */
};

/* A goroutine had a thread: [from, to), ns, by the thread's own time stamps. */
struct trace_span {
	uint64_t from, to;
	uint32_t goroutine; /* index in trace.goroutines */
	uint8_t state;	    /* TRACE_RUNNING or TRACE_IN_SYSCALL (C code under cgo is a system call) */
};

struct trace_thread {
	uint64_t tid; /* as the program itself sees it: of its own pid namespace */
	struct trace_span *spans; /* in order of time, without overlap */
	size_t nr, alloc;
	bool open; /* while reading: the last span has no end yet */
};

/*
 * Times are those of Go's reader, which moves an event behind the one that must
 * have come first. goids are never given out twice, but for the goroutines of C
 * threads that call into Go again and again: those are one goroutine here.
 */
struct trace_goroutine {
	uint64_t goid;
	uint64_t g;		/* address of its g, where switches tell it; 0: not known */
	uint64_t parent;	/* goid of the goroutine that created it; 0: not known */
	uint64_t created, ended; /* ns; 0: before the trace began; not within it */
	uint64_t time[TRACE_STATES]; /* ns spent in each state within the trace */
	uint64_t since;		/* while reading: when it came into its state */
	uint64_t starts;	/* how often it got a processor */
	uint32_t created_by;	/* stack of the go statement; 0 not known */
	uint32_t entry;		/* string: the function it began with; 0 not known */
	uint32_t wait_stack, wait_why; /* while reading: of the state it is in, see trace_wait */
	uint32_t label;		/* string: the runtime's last label ("GC (dedicated)"), 0 none */
	uint8_t state;		/* at the end of the trace */
};

/* What Go's CPU profiler wrote down while the trace ran; in order of time. */
struct trace_cpu_sample {
	uint64_t time; /* ns */
	uint64_t tid, goid; /* TRACE_NO_GOROUTINE: none */
	uint32_t stack;
};

/* How long a goroutine was in a state other than running, from one stack for one reason; added up. */
struct trace_wait {
	uint64_t time;	    /* ns */
	uint64_t times;	    /* how often */
	uint32_t goroutine; /* index in trace.goroutines */
	uint32_t stack;	    /* it stopped with; a goroutine that became runnable keeps that of its wait; 0 not known */
	uint32_t why;	    /* string: the runtime's reason, as "chan receive" or "preempted"; 0 none */
	uint8_t state;	    /* TRACE_RUNNABLE, TRACE_IN_SYSCALL or TRACE_WAITING */
};

/* Something that took time as a whole: the world stopped, or a collection. */
struct trace_phase {
	uint64_t from, to; /* ns; to 0: not over when the trace ended */
	uint32_t what;	   /* string: why the world was stopped; 0: a collection */
	uint64_t goid;
};

struct trace {
	unsigned version;   /* of the header: 22 for "go 1.22 trace" */
	size_t generations;
	uint64_t units;	    /* of time per second */
	uint64_t from, to;  /* ns: the first and last moment it speaks of */
	bool monotonic;	    /* its ns are CLOCK_MONOTONIC's */
	bool open_ended;    /* of switches alone: a span lasts until the thread's next one begins, work or not */
	bool has_wall;
	int64_t wall_offset; /* has_wall: what to add for ns since 1970 */

	uint64_t events[256];	     /* on the wire, by type */
	uint64_t kinds[TRACE_KINDS]; /* in order, as Go's reader counts them */

	struct strtab strings;
	struct trace_frame *frames;
	struct trace_stack *stacks;
	struct trace_thread *threads;
	struct trace_goroutine *goroutines; /* in the order they were first met */
	struct trace_cpu_sample *cpu_samples;
	struct trace_phase *pauses, *collections;
	struct trace_wait *waits;
	size_t nr_waits, alloc_waits;
	struct map64 wait_index;
	size_t nr_frames, nr_stacks, nr_threads, nr_goroutines, nr_cpu_samples, nr_pauses, nr_collections;
	size_t alloc_frames, alloc_stacks, alloc_threads, alloc_goroutines, alloc_cpu_samples, alloc_pauses,
		alloc_collections;
	struct map64 thread_index, goroutine_index; /* by tid, by goid */

	struct damage damage;
	struct error broken; /* text: why reading stopped before the end, with section and offset; else "" */
};

/* Whether these first bytes are a Go execution trace's, of any version. */
bool trace_recognise(const void *data, size_t size);

/*
 * Reads a trace from memory; path is for messages. Returns 0 when generations
 * were read: all, or those before the first that is cut or broken (then
 * damage and broken say so). -1 with *e (exit 3) when nothing can be used: no
 * trace, one of the old format (by its name), or broken in its first generation.
 * trace_release frees everything either way.
 */
int trace_read(struct trace *t, const void *data, size_t size, const char *path, struct error *e);
void trace_release(struct trace *t);

/* A thread goes on with a goroutine: what a probe on runtime.gogo tells (process/goswitch.h). */
struct trace_switch {
	uint64_t time; /* ns */
	uint64_t g, goid;
	uint32_t pid, tid;
};
/*
 * A trace of nothing but switches, up to `end` (ns): goroutines without names or states, and open-ended spans.
 * Of several processes only the one with most switches; the list is sorted by time.
 */
void trace_of_switches(struct trace *t, struct trace_switch *list, size_t nr, uint64_t end);

/* Who had the thread at that time (ns of the trace's clock), or NULL. */
const struct trace_span *trace_running(const struct trace *t, uint64_t tid, uint64_t time);
/* Who had it then, or had it last before; NULL: nobody yet. */
const struct trace_span *trace_last(const struct trace *t, uint64_t tid, uint64_t time);
const struct trace_thread *trace_thread(const struct trace *t, uint64_t tid);
const struct trace_goroutine *trace_goroutine(const struct trace *t, uint64_t goid);
static inline const char *trace_str(const struct trace *t, uint32_t id)
{
	return strtab_get(&t->strings, id);
}

/* The name of an event type on the wire, or NULL. */
const char *trace_event_name(unsigned type);

#endif
