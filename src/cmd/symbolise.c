#include "cmd/symbolise.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/message.h"
#include "process/symbol.h"

#define INLINE_MAX 64

struct symboliser {
	struct profile *p;
	struct modules *modules;
	struct module **of_mapping; /* NULL: memory that no file is mapped to */
	bool inlines;
	/* per nameless frame: its frames, outermost first, in `ids`; nr 0: as it is */
	struct {
		uint32_t first, nr;
	} *expansion;
	uint32_t *ids;
	size_t nr_ids, alloc_ids;
	size_t nr_frames; /* of the profile, before any was added */
	uint32_t *path;
	size_t alloc_path;
};

static size_t parse_id(const char *hex, uint8_t id[20])
{
	size_t n = strlen(hex);

	if (n % 2 || n > 40 || hex[strspn(hex, "0123456789abcdefABCDEF")])
		return 0;
	for (size_t i = 0; i < n / 2; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		id[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n / 2;
}

static struct module *module_of(struct symboliser *s, const struct profile_mapping *m)
{
	const char *file = profile_str(s->p, m->file);
	uint8_t id[20];
	size_t n = parse_id(profile_str(s->p, m->build_id), id);

	if (!strcmp(file, "[vdso]"))
		return modules_add(s->modules, file, 0, MODULE_VDSO, id, n);
	/* the kernel's names would be those of the one running here */
	if (!*file || *file == '[' || !strncmp(file, "//", 2))
		return NULL;
	return modules_add(s->modules, file, 0, MODULE_FILE, id, n);
}

/* The mapping of an address, of the file that the location names where it names one. */
static const struct profile_mapping *mapping_of(const struct profile *p, const struct profile_frame *f)
{
	const struct profile_mapping *by_file = NULL;

	for (size_t i = 0; i < p->nr_mappings; i++) {
		const struct profile_mapping *m = &p->mappings[i];

		if (f->dso && m->file != f->dso)
			continue;
		if (f->address >= m->start && f->address < m->limit)
			return m;
		/* no range: the addresses are the binary's own */
		if (f->dso && !m->limit && !by_file)
			by_file = m;
	}
	return by_file;
}

static void add_symbol(struct symboliser *s, const struct profile_frame *from, const struct symbol *sym)
{
	struct profile_frame f = {
		.name = sym->name, .linkage = sym->linkage, .dso = from->dso, .file = sym->file,
		.line = sym->line, .start_line = sym->start_line, .kind = from->kind,
		.inlined = sym->inlined, .go = sym->go, .wrapper = sym->wrapper, .address = from->address,
	};

	ALLOC_GROW(s->ids, s->nr_ids + 1, s->alloc_ids);
	s->ids[s->nr_ids++] = profile_add_frame(s->p, &f);
}

static void expand(struct symboliser *s, uint32_t frame)
{
	struct profile_frame f = s->p->frames[frame];
	const struct profile_mapping *m = mapping_of(s->p, &f);
	struct module *module = m ? s->of_mapping[m - s->p->mappings] : NULL;
	struct symbol syms[INLINE_MAX];
	uint64_t vaddr;
	size_t n;

	if (!module)
		return;
	module->samples++;
	if (!module_open(s->modules, module))
		return;
	if (m->limit)
		module_vaddr(module, f.address - m->start + m->offset, &vaddr);
	else
		vaddr = f.address;
	n = symbolise(s->modules, module, vaddr, SYMBOL_LINES | (s->inlines ? SYMBOL_INLINES : 0), NULL, &s->p->strings, syms, INLINE_MAX);
	if (!syms[0].named)
		return;
	f.dso = m->file;
	s->expansion[frame].first = (uint32_t)s->nr_ids;
	/* pprof's own stacks have no wrappers either (Go runtime/traceback.go, elideWrapperCalling) */
	for (size_t i = n; i-- > 0;)
		if (!syms[i].wrapper || n == 1)
			add_symbol(s, &f, &syms[i]);
	s->expansion[frame].nr = (uint32_t)s->nr_ids - s->expansion[frame].first;
}

static ptrdiff_t path(void *ctx, uint32_t *path, size_t depth, const uint32_t **frames)
{
	struct symboliser *s = ctx;
	size_t nr = 0;

	for (size_t i = 0; i < depth; i++) {
		uint32_t n = path[i] < s->nr_frames ? s->expansion[path[i]].nr : 0;

		ALLOC_GROW(s->path, nr + n + 1, s->alloc_path);
		if (!n)
			s->path[nr++] = path[i];
		for (uint32_t k = 0; k < n; k++)
			s->path[nr++] = s->ids[s->expansion[path[i]].first + k];
	}
	*frames = s->path;
	return (ptrdiff_t)nr;
}

static void tell(const struct symboliser *s, const char *path, const struct common_options *o)
{
	for (size_t i = 0; i < modules_nr(s->modules); i++) {
		const struct module *m = modules_get(s->modules, (uint32_t)i);

		if (m->samples && !m->elf)
			note(o, "%s: %llu addresses in %s stay without names: %s", path, (unsigned long long)m->samples,
			     m->path, m->why ? m->why : "not found");
	}
}

void profile_symbolise(struct profile *p, const char *name, const struct module_options *modules,
		       bool inlines, const struct common_options *o)
{
	struct symboliser s = {.p = p, .inlines = inlines, .nr_frames = p->nr_frames};
	struct profile out;
	bool any = false;

	for (size_t i = 1; i < p->nr_frames && !any; i++)
		any = p->frames[i].nameless;
	if (!any)
		return;
	s.modules = modules_new(modules);
	s.of_mapping = xcalloc(p->nr_mappings, sizeof(struct module *));
	s.expansion = xcalloc(p->nr_frames, sizeof(*s.expansion));
	for (size_t i = 0; i < p->nr_mappings; i++)
		s.of_mapping[i] = module_of(&s, &p->mappings[i]);
	for (size_t i = 1; i < s.nr_frames; i++)
		if (p->frames[i].nameless)
			expand(&s, (uint32_t)i);
	if (s.nr_ids) {
		for (size_t i = 0; i < p->nr_mappings; i++)
			p->mappings[i].has_functions |= s.of_mapping[i] && s.of_mapping[i]->elf;
		profile_init(&out);
		profile_map(&out, p, path, &s, NULL);
		profile_release(p);
		*p = out;
	}
	tell(&s, name, o);
	modules_free(s.modules);
	free(s.of_mapping);
	free(s.expansion);
	free(s.ids);
	free(s.path);
}
