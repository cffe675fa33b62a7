#include "cmd/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

/*
 * First path elements of the standard library (Go src/, 1.17 … 1.27). A package
 * whose first element has a dot is never the standard library (go help
 * importpath); one without may be the user's, so this list decides.
 */
static const char *const std_roots[] = {
	"archive", "arena", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context",
	"crypto", "database", "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go",
	"hash", "html", "image", "index", "internal", "io", "iter", "log", "maps", "math", "mime",
	"net", "os", "path", "plugin", "reflect", "regexp", "runtime", "simd", "slices", "sort",
	"strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "type",
	"unicode", "unique", "unsafe", "vendor", "weak",
};

/*
 * Parts of the runtime by the beginning of the function's name after
 * "runtime." (receivers without "(*"). First match wins; the rest is "other".
 */
static const struct {
	const char *prefix;
	enum render_kind kind;
} runtime_parts[] = {
	{"gc", RENDER_GC}, {"bgsweep", RENDER_GC}, {"bgscavenge", RENDER_GC}, {"sweep", RENDER_GC},
	{"scan", RENDER_GC}, {"mark", RENDER_GC}, {"greyobject", RENDER_GC}, {"shade", RENDER_GC},
	{"wb", RENDER_GC}, {"bulkBarrier", RENDER_GC}, {"scavenge", RENDER_GC}, {"findObject", RENDER_GC},
	{"stopTheWorld", RENDER_GC}, {"startTheWorld", RENDER_GC}, {"tryDeferToSpanScan", RENDER_GC},
	{"spanQueue", RENDER_GC}, {"localSpanQueue", RENDER_GC}, {"typePointers", RENDER_GC},
	{"deductSweepCredit", RENDER_GC}, {"deductAssistCredit", RENDER_GC}, {"runfinq", RENDER_GC},
	{"runFinalizers", RENDER_GC}, {"runCleanups", RENDER_GC}, {"mspan).sweep", RENDER_GC},
	{"malloc", RENDER_ALLOC}, {"newobject", RENDER_ALLOC}, {"newarray", RENDER_ALLOC},
	{"makeslice", RENDER_ALLOC}, {"growslice", RENDER_ALLOC}, {"mcache", RENDER_ALLOC},
	{"mcentral", RENDER_ALLOC}, {"mheap", RENDER_ALLOC}, {"mspan", RENDER_ALLOC},
	{"nextFree", RENDER_ALLOC}, {"pageAlloc", RENDER_ALLOC}, {"pageCache", RENDER_ALLOC},
	{"fixalloc", RENDER_ALLOC}, {"persistentalloc", RENDER_ALLOC}, {"rawstring", RENDER_ALLOC},
	{"rawbyteslice", RENDER_ALLOC}, {"heapBits", RENDER_ALLOC}, {"heapSetType", RENDER_ALLOC},
	{"sysAlloc", RENDER_ALLOC}, {"sysMap", RENDER_ALLOC}, {"sysUsed", RENDER_ALLOC},
	{"memclrNoHeapPointersChunked", RENDER_ALLOC}, {"profilealloc", RENDER_ALLOC},
	{"mcall", RENDER_SCHED}, {"schedule", RENDER_SCHED}, {"findrunnable", RENDER_SCHED},
	{"findRunnable", RENDER_SCHED}, {"execute", RENDER_SCHED}, {"stealWork", RENDER_SCHED},
	{"runq", RENDER_SCHED}, {"globrunq", RENDER_SCHED}, {"injectglist", RENDER_SCHED},
	{"wakep", RENDER_SCHED}, {"startm", RENDER_SCHED}, {"stopm", RENDER_SCHED},
	{"handoffp", RENDER_SCHED}, {"acquirep", RENDER_SCHED}, {"releasep", RENDER_SCHED},
	{"pidle", RENDER_SCHED}, {"mget", RENDER_SCHED}, {"mput", RENDER_SCHED}, {"mPark", RENDER_SCHED},
	{"mstart", RENDER_SCHED}, {"resetspinning", RENDER_SCHED}, {"ready", RENDER_SCHED},
	{"goready", RENDER_SCHED}, {"park_m", RENDER_SCHED}, {"gopark", RENDER_SCHED},
	{"gosched", RENDER_SCHED}, {"goyield", RENDER_SCHED}, {"gopreempt_m", RENDER_SCHED},
	{"goexit0", RENDER_SCHED}, {"goexit1", RENDER_SCHED}, {"gdestroy", RENDER_SCHED},
	{"gfget", RENDER_SCHED}, {"gfput", RENDER_SCHED}, {"newproc", RENDER_SCHED},
	{"casgstatus", RENDER_SCHED}, {"dropg", RENDER_SCHED}, {"gogo", RENDER_SCHED},
	{"lock", RENDER_SCHED}, {"unlock", RENDER_SCHED}, {"procyield", RENDER_SCHED},
	{"osyield", RENDER_SCHED}, {"note", RENDER_SCHED}, {"futex", RENDER_SCHED},
	{"sema", RENDER_SCHED}, {"netpoll", RENDER_SCHED}, {"epoll", RENDER_SCHED},
	{"sysmon", RENDER_SCHED}, {"retake", RENDER_SCHED}, {"usleep", RENDER_SCHED},
	{"asyncPreempt", RENDER_SCHED}, {"preempt", RENDER_SCHED}, {"suspendG", RENDER_SCHED},
	{"resumeG", RENDER_SCHED}, {"checkTimers", RENDER_SCHED}, {"timers", RENDER_SCHED},
	{"timer", RENDER_SCHED}, {"selectgo", RENDER_SCHED}, {"chansend", RENDER_SCHED},
	{"chanrecv", RENDER_SCHED}, {"closechan", RENDER_SCHED}, {"checkRunqsNoP", RENDER_SCHED},
};

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static enum render_kind runtime_kind(const char *rest)
{
	if (starts(rest, "(*"))
		rest += 2;
	for (size_t i = 0; i < sizeof(runtime_parts) / sizeof(*runtime_parts); i++)
		if (*rest == *runtime_parts[i].prefix && starts(rest, runtime_parts[i].prefix))
			return runtime_parts[i].kind;
	return RENDER_RUNTIME;
}

static bool is_std(const char *name)
{
	size_t len = strcspn(name, "/.");

	if (name[len] == '.' && strchr(name, '/') && strchr(name, '/') > name + len)
		return false; /* "example.com/…" */
	for (size_t i = 0; i < sizeof(std_roots) / sizeof(*std_roots); i++)
		if (strlen(std_roots[i]) == len && !strncmp(name, std_roots[i], len))
			return true;
	return false;
}

/* A profile from pprof does not say which frames are Go: names with a package do. */
static bool looks_like_go(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && dot > name && !strchr(name, ':') && !strchr(name, ' ') && dot[1] &&
	       strncmp(name, "[", 1) != 0;
}

/*
 * Functions of Go's assembly that belong to a file alone have names without a
 * package ("aeshashbody", "gogo"); their file tells: GOROOT/src/runtime/asm_amd64.s,
 * or runtime/asm_amd64.s of a -trimpath build.
 */
static bool bare_assembly(const char *name, const char *file, enum render_kind *kind)
{
	size_t len = strlen(file);
	const char *src = file;

	if (strchr(name, '.') || len < 2 || strcmp(file + len - 2, ".s") != 0)
		return false;
	for (const char *s = strstr(file, "/src/"); s; s = strstr(s + 1, "/src/"))
		src = s + strlen("/src/");
	if (starts(src, "runtime/"))
		*kind = runtime_kind(name);
	else if (starts(src, "internal/runtime/"))
		*kind = RENDER_RUNTIME;
	else if (is_std(src))
		*kind = RENDER_STD;
	else
		return false;
	return true;
}

static enum render_kind kind_of(const struct profile *p, const struct profile_frame *f)
{
	const char *name = profile_str(p, f->name);
	enum render_kind kind;

	if (f->kind == FRAME_KERNEL)
		return RENDER_KERNEL;
	if (!strcmp(name, "[unknown]") || !strcmp(name, "[truncated]"))
		return RENDER_UNKNOWN;
	if (f->kind == FRAME_WAIT)
		return RENDER_WAIT;
	if (f->kind == FRAME_LABEL)
		return RENDER_LABEL;
	if (bare_assembly(name, profile_str(p, f->file), &kind))
		return kind;
	if (!f->go && !looks_like_go(name))
		return RENDER_NATIVE;
	if (starts(name, "runtime."))
		return runtime_kind(name + strlen("runtime."));
	if (starts(name, "internal/runtime/gc"))
		return RENDER_GC;
	if (starts(name, "runtime/internal/") || starts(name, "internal/runtime/"))
		return RENDER_RUNTIME;
	return is_std(name) ? RENDER_STD : RENDER_APP;
}

uint8_t *kinds_of_frames(const struct profile *p)
{
	uint8_t *kinds = xcalloc(p->nr_frames, sizeof(*kinds));

	for (size_t i = 1; i < p->nr_frames; i++)
		kinds[i] = (uint8_t)kind_of(p, &p->frames[i]);
	return kinds;
}
