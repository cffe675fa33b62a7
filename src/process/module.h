/*
 * Modules: the files (and pseudo files) that mappings name, found on this
 * machine once, verified by build-id, opened once, shared by unwinding and
 * symbols.
 *
 * Sources: elfutils libelf/libdwfl (finding separate debug info), System V ABI
 * gABI (program headers, notes), tools/perf/util/dso.c and symbol.c (names of
 * pseudo DSOs, build-id cache layout), GDB manual "Separate Debug Files".
 */
#ifndef PROCESS_MODULE_H
#define PROCESS_MODULE_H

#include <libelf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/damage.h"
#include "base/error.h"
#include "base/file.h"
#include "perfdata/perfdata.h"

struct module_options {
	const char *symfs;	 /* prefix for every path, or NULL */
	const char *debug_dir;	 /* default /usr/lib/debug */
	const char *buildid_dir; /* default ~/.debug (perf's build-id cache) */
	const char *kallsyms, *vmlinux; /* given files, or NULL */
	const char *const *extra; /* more binaries or directories to look in, NULL-terminated, or NULL */
	/* Asks others for a binary or (debug) debug file by its build-id, see module_debuginfod; NULL: nobody. */
	int (*fetch)(const uint8_t *id, size_t size, bool debug, char **path);
	bool no_demangle;
};

enum module_kind {
	MODULE_FILE,	/* an ELF file on disk */
	MODULE_KERNEL,	/* [kernel.kallsyms], [guest.kernel.kallsyms] */
	MODULE_KMOD,	/* a kernel module */
	MODULE_VDSO,	/* [vdso], [vdso32] */
	MODULE_ANON,	/* //anon, [heap], [stack], JIT code: perf-PID.map may name it */
	MODULE_BPF,	/* bpf programs and other KSYMBOLs */
	MODULE_VSYSCALL,
};

/* JSON's "status" of a DSO. */
enum module_status {
	MODULE_VERIFIED,   /* build-id recorded and equal */
	MODULE_UNVERIFIED, /* no build-id recorded, or the file has none: used, and said */
	MODULE_MISMATCH,   /* another build-id: never used to symbolise or unwind */
	MODULE_MISSING,	   /* not found, unreadable, not an ELF file */
};

/* A loadable segment, for turning file offsets into ELF virtual addresses. */
struct module_segment {
	uint64_t offset, vaddr, filesz, memsz;
	uint32_t flags; /* PF_X … */
};

struct gotab;	 /* process/gotab.h */
struct symbols; /* process/symbol.h */

struct module {
	uint32_t id;
	enum module_kind kind;
	const char *path;	/* as recorded */
	const char *name;	/* last component, or "[kernel]" … : used in [name]+0xOFF */
	uint32_t pid;		/* MODULE_ANON: whose */
	uint8_t build_id[20];	/* recorded; size 0: none */
	uint8_t build_id_size;
	uint64_t kernel_start;	/* kernel: recorded address of kernel_ref; module: where it was loaded */
	const char *kernel_ref; /* kernel: "_text" or "_stext" */
	uint64_t samples;	/* samples with a frame here: counted by collect */
	/* What the mappings said of the file. */
	bool id_by_path;	/* the build-id is from the recording's table, which knows paths only */
	bool mixed;		/* several files were mapped under this path */
	bool has_inode;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint64_t text_start, text_end; /* file offsets mapped executable, in all; 0, 0: none */
	struct module *next_same; /* another build-id under the same path */

	pthread_mutex_t lock;
	/* Filled by module_open(), once, under the module's lock. */
	bool opened;
	enum module_status status;
	const char *file;	 /* the path really opened, or NULL */
	uint8_t file_build_id[20];
	uint8_t file_build_id_size;
	const char *why;	 /* why missing or mismatched, one printable phrase, or NULL */
	const char *broken;	 /* what is damaged in a file that was found, with its path and offset, or NULL */
	Elf *elf;		 /* the binary, NULL if not to be used; libelf handles are not thread-safe: use under module_lock */
	Elf *debug;		 /* separate debug file (.gnu_debuglink, build-id path, dwz not followed), or NULL */
	Elf *minidebug;		 /* .gnu_debugdata, or NULL */
	uint16_t machine;	 /* EM_* */
	struct module_segment *segments;
	size_t nr_segments;
	bool is_go;
	struct gotab *gotab;	 /* filled at open when the binary has a Go pclntab, else NULL */
	const char *symbol_file; /* kernel: the kallsyms to read; MODULE_ANON: the perf-PID.map; else NULL */
	const char *kept_symbols; /* kernel: perf's copy of the same kernel's kallsyms, or NULL */
	struct file_map map, debug_map; /* what elf and debug look into */
	void *mini_data;	 /* what minidebug, or the vdso, looks into */
	Elf *rejected[3];	 /* opened before the recording told that it is another build */
	struct gotab *rejected_gotab;

	/* Filled lazily by their owners. */
	bool symbols_claimed; /* somebody reads them ahead */
	struct symbols *symbols; /* process/symbol.c */
	pthread_mutex_t unwind_lock; /* unwind/: of what follows, held for short times only */
	void *unwind;		 /* tables, freed by unwind_free */
	void (*unwind_free)(void *);
};

struct modules;

struct modules *modules_new(const struct module_options *opts);
void modules_free(struct modules *m);
size_t modules_nr(const struct modules *m);
struct module *modules_get(const struct modules *m, uint32_t id);

/*
 * The module of that recorded path (and pid for anonymous memory), made when new.
 * Kernel and user space do not share names; one path with two build-ids (two
 * containers, or a new version put in place) is two modules.
 */
struct module *modules_add(struct modules *m, const char *path, uint32_t pid, enum module_kind kind,
			   const uint8_t *build_id, size_t build_id_size);

/* [kernel.kallsyms], or NULL when the recording names no kernel. */
struct module *modules_kernel(const struct modules *m);

/* Takes in what a mapping says of its module's file: code range, inode. */
void module_mapped(struct module *m, const struct perf_mmap *map);

/*
 * Sets a build-id of the recording's table on the modules of that path (and side,
 * kernel or user) that have none. A module opened before that turns out to be
 * another build is closed again: MODULE_MISMATCH. Not while others look things up.
 */
void modules_set_build_id(struct modules *m, const struct perf_build_id *id);
/* The recorded kernel release (uname -r), as long as it is known before module_open. */
void modules_set_release(struct modules *m, const char *release);
const struct module_options *modules_options(const struct modules *m);

/*
 * Finds and opens the binary, verifies its build-id, fills the fields above.
 * Thread-safe; does the work once. Returns module->elf != NULL.
 * Order of search: the given extra files by build-id, then by base name; symfs +
 * path, or the recorded path; buildid_dir; fetch.
 */
bool module_open(struct modules *ms, struct module *m);

/*
 * From the servers of $DEBUGINFOD_URLS: 0 with the file in libdebuginfod's cache, *path the caller's to free; ENOENT
 * where they do not have it, another errno where they do not answer.
 */
int module_debuginfod(const uint8_t *id, size_t size, bool debug, char **path);

/* Serialises use of the module's libelf/libdw handles. */
void module_lock(struct module *m);
void module_unlock(struct module *m);

/*
 * File offset (what a mapping gives) to ELF virtual address. Where the module is
 * not opened or no segment covers it: returns false, *vaddr = offset.
 */
bool module_vaddr(const struct module *m, uint64_t offset, uint64_t *vaddr);

/* So many bytes of the opened binary at an ELF virtual address, or NULL: not in its file. */
const uint8_t *module_bytes(const struct module *m, uint64_t vaddr, size_t size);

/* The GNU build-id note of an ELF file into id (20 bytes); returns its size, 0 without one. */
size_t elf_build_id(Elf *elf, uint8_t id[20]);

/* Build-id as hex into buf (41 bytes); "" when size is 0. */
const char *build_id_hex(const uint8_t *id, size_t size, char buf[41]);
/* Equal, trailing zero padding ignored, both non-empty. */
bool build_id_equal(const uint8_t *a, size_t na, const uint8_t *b, size_t nb);

#endif
