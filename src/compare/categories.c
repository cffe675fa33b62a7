/*
 * What a function of the Go runtime or standard library is busy with: one row
 * per category, regular expressions (pattern.h) over pprof's names, checked
 * against Go 1.17 to 1.27 (functions that a version lacks simply never match).
 * First match wins. To add a category, add a row.
 */
#include "compare/categories.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compare/pattern.h"

static const struct row {
	const char *category, *pattern;
} rows[] = {
	{"profiler",
	 "^runtime\\.(sigprof(NonGo(PC)?)?|\\(\\*cpuProfile\\)\\..*|"
	 "\\(\\*profBuf\\)\\..*|profilealloc|mProf_.*|saveblockevent|"
	 "saveBlockEventStack|blockevent|\\(\\*mLockProfile\\)\\..*|tracebackPCs|"
	 "traceCPUSample|setThreadCPUProfiler)$"},
	{"profiler",
	 "^runtime/pprof\\."},
	{"tracer",
	 "^runtime\\.(trace[A-Z].*|\\(\\*trace.*\\)\\..*|trace(Writer|Buf|Event|Locker|"
	 "Exp).*|readTrace.*)$"},
	{"gc-bgmark",
	 "^runtime\\.gcBgMarkWorker(\\.func[0-9]+)?$"},
	{"gc-assist",
	 "^runtime\\.(gcAssistAlloc(1|\\.func[0-9]+)?|deductAssistCredit|gcParkAssist|"
	 "gcWakeAllAssists|gcFlushBgCredit)$"},
	{"gc-mark",
	 "^runtime\\.(gcDrain(N|MarkWorkerDedicated|MarkWorkerFractional|"
	 "MarkWorkerIdle)?|scanobject|scanObject(s?Small)?|scanSpan|spanSetScans|"
	 "tryDeferToSpanScan|scanblock|scanstack|scanframeworker|scanConservative|"
	 "greyobject|shade|markroot.*|gcMark(RootPrepare|RootCheck|TinyAllocs|"
	 "newobject)?|gcmarknewobject|\\(\\*gcWork\\)\\..*|\\(\\*(localSpanQueue|"
	 "spanQueue|mSpanQueue|spanInlineMarkBits|spanSPMC)\\)\\..*|findObject|"
	 "gcPrepareMarkRoots|gcNextMarkRoot|pollFractionalWorkerExit|getempty|putfull|"
	 "putempty|trygetfull|handoff)$"},
	{"gc-mark",
	 "^internal/runtime/gc/scan\\."},
	{"gc-stw",
	 "^runtime\\.(stopTheWorld.*|startTheWorld.*|preemptall|gcStart(\\.func[0-9]+)?|"
	 "gcMarkDone(\\..*)?|gcMarkTermination(\\..*)?|gcResetMarkState.*|"
	 "forEachP(Internal)?|gcSweep|procresize|gcControllerCommit|findGoroutineLeaks)$"},
	{"gc-sweep",
	 "^runtime\\.(bgsweep|sweepone(\\.func[0-9]+)?|deductSweepCredit|finishsweep_m|"
	 "\\(\\*sweepLocked\\)\\..*|\\(\\*sweepLocker\\)\\..*|"
	 "\\(\\*mheap\\)\\.(reclaim(Chunk)?|nextSpanForSweep)|"
	 "\\(\\*mspan\\)\\.ensureSwept|freeSomeWbufs)$"},
	{"gc-scavenge",
	 "^runtime\\.(bgscavenge(\\.func[0-9]+)?|\\(\\*scavengerState\\)\\..*|"
	 "\\(\\*pageAlloc\\)\\.scavenge.*|gcPaceScavenger|sysUnused.*|sysHugePage.*)$"},
	{"gc-writebarrier",
	 "^(gcWriteBarrier|runtime\\.(gcWriteBarrier([0-9]|[A-Z]+[0-9]?)?|wbBufFlush(1|"
	 "\\.func[0-9]+)?|\\(\\*wbBuf\\)\\..*|bulkBarrier.*|wbZero|wbMove|atomicwb|"
	 "typeBitsBulkBarrier))$"},
	{"gc-finalizer",
	 "^runtime\\.(runfinq|runFinalizers|runCleanups|queuefinalizer|addfinalizer|"
	 "addCleanup)$"},
	{"stack-growth",
	 "^runtime\\.(morestack(_noctxt|c)?|newstack|copystack|adjust(frame|pointers?|"
	 "ctxt|defers|sudogs|panics)|shrinkstack|stack(alloc|free|poolalloc|poolfree|"
	 "cache.*)|syncadjustsudogs)$"},
	{"malloc",
	 "^runtime\\.(mallocgc.*|newobject|newarray|makeslice(copy)?|growslice.*|"
	 "makechan|makemap.*|nextFreeFast|\\(\\*mcache\\)\\..*|\\(\\*mcentral\\)\\..*|"
	 "\\(\\*mheap\\)\\.(alloc.*|grow|sysAlloc|setSpans|freeSpan.*|freeManual|"
	 "initSpan)|\\(\\*mspan\\)\\.(nextFreeIndex|refillAllocCache|init.*|"
	 "writeHeapBits.*|heapBits.*)|\\(\\*pageAlloc\\)\\..*|\\(\\*pageCache\\)\\..*|"
	 "\\(\\*fixalloc\\)\\..*|persistentalloc.*|heapBitsSetType|heapSetType.*|"
	 "memclrNoHeapPointersChunked|publicationBarrier|rawstring.*|rawbyteslice|"
	 "rawruneslice|sysAlloc.*|sysMap.*|sysUsed.*)$"},
	{"malloc",
	 "^reflect\\.unsafe_New(Array)?$"},
	{"map",
	 "^internal/runtime/maps\\."},
	{"map",
	 "^runtime\\.(map(access|assign|delete|iter|clear|clone|IterStart|IterNext).*|"
	 "hashGrow|growWork.*|evacuate.*|advanceEvacuationMark|makeBucketArray|"
	 "makemap.*|\\(\\*hmap\\)\\..*|\\(\\*bmap\\)\\..*|mapinitnoop)$"},
	{"map",
	 "^reflect\\.(map(access|assign|delete|iter|clear|len).*|\\(\\*MapIter\\)\\..*|"
	 "Value\\.(MapIndex|MapRange|MapKeys|SetMapIndex)|MakeMap.*)$"},
	{"hash",
	 "^(aeshashbody|runtime\\.((mem|str|inter|nilinter|f32|f64|c64|c128|type)hash.*|"
	 "strhashFallback|memhashFallback))$"},
	{"chan",
	 "^runtime\\.(chan(send|recv|send1|recv1|recv2)(\\.func[0-9]+)?|chan(parkcommit|"
	 "buf|len|cap)|closechan|send(Direct)?|recv(Direct)?|selectnb(send|recv)|"
	 "makechan(64)?|\\(\\*waitq\\)\\..*|(acquire|release)Sudog)$"},
	{"select",
	 "^runtime\\.(selectgo(\\.func[0-9]+)?|sellock|selunlock|selparkcommit|block|"
	 "selectsetpc)$"},
	{"mutex",
	 "^(internal/)?sync\\.\\(\\*(Mutex|RWMutex|WaitGroup|Cond|Once|notifyList|Map|"
	 "HashTrieMap.*|Pool|poolChain|poolDequeue)\\)\\..*$"},
	{"mutex",
	 "^sync\\.(runtime_.*|\\(\\*Once\\)\\.doSlow)$"},
	{"mutex",
	 "^(internal/)?sync\\.(runtime_|throw|fatal).*$"},
	{"mutex",
	 "^runtime\\.(sem(acquire|release)(1)?|sem(acquire|release)RWMutex.*|"
	 "\\(\\*semaRoot\\)\\..*|notifyList.*|readyWithTime.*|semrelease1)$"},
	{"runtime-lock",
	 "^runtime\\.(lock(2|WithRank)?|unlock(2|2Wake|WithRank)?|procyield(Asm)?|"
	 "osyield|note(sleep|tsleep.*|wakeup|clear)|futexsleep|"
	 "futexwakeup(\\.func[0-9]+)?|futex|\\(\\*rwmutex\\)\\..*|semasleep|semawakeup)$"},
	{"netpoll",
	 "^runtime\\.(netpoll.*|epoll.*|\\(\\*pollDesc\\)\\..*|\\(\\*pollCache\\)\\..*)$"},
	{"netpoll",
	 "^internal/poll\\."},
	{"netpoll",
	 "^internal/runtime/syscall(/linux)?\\.Epoll"},
	{"timer",
	 "^runtime\\.(add|del|mod|reset|doadd|dodel|clean|run|adjust|move|"
	 "check)[tT]imers?[A-Za-z0-9_]*$"},
	{"timer",
	 "^runtime\\.(\\(\\*timers?\\)\\..*|clearDeletedTimers|siftupTimer|"
	 "siftdownTimer|runOneTimer|updateTimerPMask|addAdjustedTimers|timeSleepUntil|"
	 "goroutineReady|resetForSleep|blockTimerChan|timeSleep)$"},
	{"timer",
	 "^time\\.(Sleep|\\(\\*Timer\\)\\..*|\\(\\*Ticker\\)\\..*|NewTimer|NewTicker|"
	 "After(Func)?|newTimer|stopTimer|resetTimer|sendTime|goFunc|startTimer|Tick)$"},
	{"clock",
	 "^(\\[vdso].*|time\\.(now|Now|runtimeNow|runtimeNano|Since|Until)|"
	 "runtime\\.(nanotime1?|walltime1?|time_now|cputicks|vdsoClockgettime.*))$"},
	{"sched",
	 "^runtime\\.(schedule|find[rR]unnable|execute|stealWork|runq(put|get|grab|"
	 "steal|drain|putslow|putbatch)[A-Za-z0-9_]*|globrunq[A-Za-z0-9_]*|injectglist|"
	 "wakep|startm|stopm|handoffp|acquirep[A-Za-z0-9_]*|releasep[A-Za-z0-9_]*|"
	 "pid(le|l)[A-Za-z0-9_]*|mget|mput|mPark|resetspinning|ready(WithTime)?|"
	 "goready(\\.func[0-9]+)?|park_m|gopark(unlock)?|gosched[A-Za-z0-9_]*|"
	 "goyield[A-Za-z0-9_]*|gopreempt_m|goexit[01]|gdestroy|gfget|gfput|gfpurge|"
	 "newproc1?(\\.func[0-9]+)?|casgstatus|casfrom_Gscanstatus|castogscanstatus|"
	 "dropg|gogo|mcall|startlockedm|stoplockedm|coroswitch(_m)?|corostart|"
	 "checkRunqsNoP|checkTimersNoP|checkIdleGCNoP|newm1?|allocm|mstart[01]?|mexit|"
	 "\\(\\*randomOrder\\)\\..*|\\(\\*randomEnum\\)\\..*|"
	 "\\(\\*m\\)\\.(clearAllpSnapshot|snapshotAllp))$"},
	{"sched",
	 "^(gogo|runtime\\.(mstart|mcall|systemstack_switch|goexit))$"},
	{"sched-preempt",
	 "^runtime\\.(asyncPreempt2?|preemptPark)$"},
	/* the sending side, and the signal handler's part, are the scheduler's ordinary work */
	{"sched",
	 "^runtime\\.(preempt(one|M)|doSigPreempt|wantAsyncPreempt|isAsyncSafePoint|suspendG|"
	 "resumeG|signalM|tgkill)$"},
	{"sysmon",
	 "^runtime\\.(sysmon|retake|usleep|schedtrace|scavengeSleep)$"},
	{"syscall-entry",
	 "^runtime\\.(re?entersyscall[A-Za-z0-9_]*|entersyscall[A-Za-z0-9_]*|"
	 "exitsyscall[A-Za-z0-9_]*|save)$"},
	{"syscall",
	 "^(internal/runtime/syscall(/linux)?|runtime/internal/syscall)\\.(RawSyscall6|"
	 "Syscall6|EpollWait|EpollCtl)$"},
	{"syscall",
	 "^syscall\\.(Raw)?Syscall[A-Za-z0-9_]*$"},
	{"syscall",
	 "^(syscall|golang\\.org/x/sys/unix)\\.[a-zA-Z][A-Za-z0-9_]*$"},
	{"cgo",
	 "^runtime\\.(cgocall(back|backg|backg1)?(\\.func[0-9]+|\\.deferwrap[0-9]+|"
	 "·dwrap·[0-9]+)?|asmcgocall(_landingpad|_no_g)?|cgoCheck[A-Za-z0-9_]*|"
	 "cgoIsGoPointer|needm|needAndBindM|dropm|oneNewExtraM|cgoUse)$"},
	{"cgo",
	 "^(_cgo_|_cgoexp_|_Cfunc_|x_cgo_|crosscall)"},
	{"cgo",
	 "\\._C2?func_"},
	{"iface",
	 "^runtime\\.(conv(T|I)[A-Za-z0-9_]*|assert(E2I|I2I)2?|typeAssert|"
	 "interfaceSwitch|getitab|itab[A-Za-z0-9_]*|build(TypeAssert|"
	 "InterfaceSwitch)Cache|(iface|eface|inter|nilinter)(eq|equal)|"
	 "panicdottype[A-Za-z0-9_]*|panicnildottype)$"},
	{"reflect",
	 "^reflect\\."},
	{"reflect",
	 "^(internal/reflectlite|internal/abi)\\."},
	{"reflect",
	 "^runtime\\.(reflectcall[A-Za-z0-9_]*|call[0-9]+|reflect_.*|resolve(Type|"
	 "Name)Off)$"},
	{"encoding",
	 "^encoding/(json|gob|xml|binary|base64|hex|csv|asn1)(/[A-Za-z0-9_/.]+)?\\."},
	{"string",
	 "^runtime\\.(concatstring[A-Za-z0-9_]*|slicebytetostring[A-Za-z0-9_]*|"
	 "stringtoslicebyte[A-Za-z0-9_]*|slicerunetostring|stringtoslicerune|intstring|"
	 "encoderune|decoderune|cmpstring|gostring[A-Za-z0-9_]*|findnull[A-Za-z0-9_]*)$"},
	{"memory",
	 "^(mem(eqbody|move[A-Za-z0-9_]*)|cmpbody|indexbytebody|countbody|"
	 "runtime\\.(memmove|memclr[A-Za-z0-9_]*|memequal[A-Za-z0-9_]*|strequal|"
	 "duffzero|duffcopy|typedmemmove|typedmemclr|typedslicecopy|slicecopy|"
	 "moveSlice[A-Za-z0-9_]*|wbMove|reflect_typedmemmove))$"},
	{"memory",
	 "^internal/bytealg\\."},
	{"defer-panic",
	 "^runtime\\.(defer(proc[A-Za-z0-9_]*|return|CallSave|convert|"
	 "rangefunc[A-Za-z0-9_]*)|gopanic|gorecover|recovery|newdefer|"
	 "freedefer[A-Za-z0-9_]*|popDefer|\\(\\*_panic\\)\\..*|addOneOpenDeferFrame|"
	 "runOpenDeferFrame|jmpdefer|printpanics|go[pP]anic[A-Za-z0-9_]*|panic(Index|"
	 "Slice|Bounds|divide|wrap|shift|overflow)[A-Za-z0-9_]*)$"},
	{"context",
	 "^context\\."},
	{"atomic",
	 "^(sync/atomic|internal/runtime/atomic|runtime/internal/atomic)\\."},
	{"rand",
	 "^(runtime\\.(rand|rand32|cheaprand[A-Za-z0-9_]*|fastrand[A-Za-z0-9_]*|"
	 "fastexprand|bootstrapRand[A-Za-z0-9_]*|vgetrandom[A-Za-z0-9_]*)|"
	 "internal/chacha8rand\\..*)$"},
	{"signal",
	 "^runtime\\.(sigtramp(go)?|sighandler|sigfwd[A-Za-z0-9_]*|cgoSigtramp|"
	 "sigreturn(__sigaction)?|sigFetchG|adjustSignalStack2?|sigsend|"
	 "sigpanic[A-Za-z0-9_]*|rt_sigaction|rtsigprocmask|sigaltstack|setitimer|"
	 "timer_(create|settime|delete))$"},
	{"unwind",
	 "^runtime\\.(gentraceback|callers[A-Za-z0-9_]*|Callers[A-Za-z0-9_]*|"
	 "findfunc[A-Za-z0-9_]*|pcvalue|pcdatavalue[A-Za-z0-9_]*|step|funcspdelta|"
	 "funcMaxSPDelta|readvarint|newInlineUnwinder|\\(\\*(inlineUnwinder|unwinder|"
	 "Frames|stkframe)\\)\\..*|inlineUnwinder\\..*|moduledata.*|"
	 "\\(\\*moduledata\\)\\..*|funcline1?|funcname[A-Za-z0-9_]*|"
	 "funcNamePieces[A-Za-z0-9_]*|getStackMap|fpTraceback[A-Za-z0-9_]*|"
	 "fpunwindExpand|stackmapdata)$"},
};
#define NR_ROWS (sizeof(rows) / sizeof(*rows))

/* Packages that any row speaks of: most names need no pattern at all. */
static bool worth_trying(const char *name)
{
	static const char *const packages[] = {
		"runtime", "internal/", "sync", "syscall", "golang.org/x/sys/", "time.", "reflect.",
		"encoding/", "context.", "aeshash", "memeq", "memmove", "cmpbody", "indexbyte", "countbody",
		"gcWriteBarrier", "gogo", "[vdso]", "_cgo_", "_cgoexp_", "_Cfunc_", "x_cgo_", "crosscall",
	};

	for (size_t i = 0; i < sizeof(packages) / sizeof(*packages); i++)
		if (!strncmp(name, packages[i], strlen(packages[i])))
			return true;
	return strstr(name, "._Cfunc_") || strstr(name, "._C2func_");
}

static struct pattern patterns[NR_ROWS];

static void prepare(void)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		if (!pattern_make(&patterns[i], rows[i].pattern))
			abort(); /* a row that is not understood never leaves the tests */
}

const char *categories_row(size_t i, const char **category)
{
	if (i >= NR_ROWS)
		return NULL;
	*category = rows[i].category;
	return rows[i].pattern;
}

const char *categories_find(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!worth_trying(name))
		return NULL;
	pthread_once(&once, prepare);
	for (size_t i = 0; i < NR_ROWS; i++)
		if (pattern_matches(&patterns[i], name))
			return rows[i].category;
	return NULL;
}
