#include "cmd/gallery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "cmd/message.h"

const struct picture_format *gallery_open(const struct common_options *o, const struct picture_options *p, struct error *e)
{
	struct common_options plain = *o;
	const struct picture_format *format;
	const char *dot = o->output ? strrchr(o->output, '.') : NULL;
	struct stat st;

	if (!o->output || !strcmp(o->output, "-")) {
		error_set(e, EXIT_CODE_USAGE, "many recordings: --output names the folder for their pictures");
		return NULL;
	}
	plain.output = "folder"; /* whose suffix says nothing */
	format = picture_format(&plain, p, e);
	if (!format)
		return NULL;
	if (stat(o->output, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return format;
		error_set(e, EXIT_CODE_USAGE, "many recordings: --output names the folder for their pictures, and %s is none", o->output);
		return NULL;
	}
	plain.output = o->output;
	plain.format = NULL;
	if (dot && !strchr(dot, '/') && picture_format(&plain, p, &(struct error){0})) {
		error_set(e, EXIT_CODE_USAGE, "many recordings: --output names the folder for their pictures, and %s looks like one of them "
			  "(%s/ makes it a folder)", o->output, o->output);
		return NULL;
	}
	if (mkdir(o->output, 0777) < 0) {
		error_set(e, EXIT_CODE_OUTPUT, "%s: cannot make the folder: %s", o->output, strerror(errno));
		return NULL;
	}
	return format;
}

static bool taken(char *const *names, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

char **gallery_names(const struct batch *b)
{
	char **names = xcalloc(b->nr + 1, sizeof(*names));

	for (size_t i = 0; i < b->nr; i++) {
		char *plain = xstrdup(b->items[i].name), *name;

		for (char *c = plain; *c; c++)
			if (*c == '/' || (c == plain && *c == '.'))
				*c = '_';
		name = xstrdup(plain);
		for (size_t k = 2; taken(names, i, name); k++) {
			free(name);
			name = xasprintf("%s#%zu", plain, k);
		}
		free(plain);
		names[i] = name;
	}
	return names;
}

int gallery_draw(const struct batch *b, const struct batch *bases, const struct picture_format *format,
		 const struct common_options *o, gallery_draw_fn *draw, void *ctx)
{
	char **names = gallery_names(b);
	int code = EXIT_CODE_OK, first = EXIT_CODE_OK;
	size_t drawn = 0;

	for (size_t i = 0; i < b->nr; i++) {
		struct common_options one = *o;
		char *path = xasprintf("%s/%s.%s", o->output, names[i], format->name);
		int r;

		one.output = path;
		r = draw(ctx, &b->items[i], batch_base(bases, &b->items[i]), format, &one);
		drawn += r == EXIT_CODE_OK || (r == EXIT_CODE_DAMAGED && !o->strict);
		first = first ? first : r;
		if (r == EXIT_CODE_OUTPUT)
			code = EXIT_CODE_OUTPUT;
		else if (r && !code)
			code = EXIT_CODE_DAMAGED;
		free(path);
		free(names[i]);
	}
	free(names);
	note(o, "%zu of %zu recordings drawn into %s", drawn, b->nr, o->output);
	return drawn ? code : first;
}
