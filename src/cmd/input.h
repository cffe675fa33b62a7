/*
 * Inputs: every FILE is recognised by its content (perf.data, pprof, folded
 * text) and becomes a profile.
 */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "cmd/folder.h"
#include "cmd/options.h"
#include "collect/collect.h"
#include "profile/profile.h"
#include "trace/trace.h"

enum input_kind { INPUT_PERF, INPUT_PPROF, INPUT_FOLDED, INPUT_TRACE };

/* What a command wants of a perf.data beyond the options. */
struct input_wants {
	/* keep_samples: of folded text, too: one a line, in their order; time is then the line's number */
	bool lines, keep_samples, stacks_only, no_comm;
	bool goroutines;	    /* counts of how goroutines were told apart */
	bool own_warnings;	    /* the command says itself what cmd/warn.h would */
	bool keep_with_trace;	    /* keep_samples where there is an execution trace */
	bool traces;		    /* an execution trace is welcome as the FILE */
	bool by_process;	    /* "process N" as the first frame, whatever --by says, and threads counted */
	collect_window_fn *window;  /* see collect_options */
	void *window_ctx;
};

struct input {
	const char *path;
	enum input_kind kind;
	struct collect collect; /* INPUT_PERF only; its profile is taken over into `profile` */
	struct profile profile;
	bool keep_order;	/* see input_wants.keep_samples */
	bool filtered;		/* the profile is not collect's any more: its nodes are others */
	bool has_trace;		/* --trace, or the folder's */
	struct trace trace;
	struct damage damage;
	struct folder folder;	/* when path is one */
	const char **binaries;	/* --binary and the folder's */
};

/*
 * path: a file, "-", or a directory (of `perf record --threads`, or left by
 * `perfskew record`). Returns 0, or -1 with *e.
 */
int input_load(struct input *in, const char *path, const struct read_options *r,
	       const struct common_options *o, const struct input_wants *wants, struct error *e);
void input_release(struct input *in);

/* What no FILE stands for: "perf.data" as perf has it, or "-" where something is piped in and there is none. */
const char *input_default(void);
/* The one FILE of a command that takes one: an operand, --input, or the default. NULL with *e (exit 2) when there are more. */
const char *input_single(const struct common_options *o, int argc, char **argv, struct error *e);
/* FILEs of a command that takes more: --input first, then operands. Returns how many, `max` of them in paths. */
size_t input_operands(const struct common_options *o, int argc, char **argv, const char **paths, size_t max);

/*
 * The series to show: by --type for pprof, by --event and --weight for perf.
 * Notes on stderr when one event of several was taken. -1 with *e (exit 2).
 */
int input_series(const struct input *in, const struct read_options *r, enum weight weight,
		 const struct common_options *o, size_t *series, struct error *e);
/* The name of the event or sample type of a series. */
const char *input_event_name(const struct input *in, size_t series);

#endif
