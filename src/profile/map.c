#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "profile/profile.h"

struct map_work {
	struct profile *out;
	const struct profile *in;
	uint32_t *frames; /* per frame of in: its index in out + 1 */
};

static uint32_t string(struct map_work *w, uint32_t id)
{
	return strtab_add(&w->out->strings, profile_str(w->in, id));
}

static uint32_t frame(struct map_work *w, uint32_t i)
{
	if (!w->frames[i]) {
		struct profile_frame f = w->in->frames[i];

		f.name = string(w, f.name);
		f.linkage = string(w, f.linkage);
		f.dso = string(w, f.dso);
		f.file = string(w, f.file);
		w->frames[i] = profile_add_frame(w->out, &f) + 1;
	}
	return w->frames[i] - 1;
}

static uint32_t labels(struct map_work *w, uint32_t set)
{
	const struct profile_labels *s = &w->in->label_sets[set];
	struct profile_label *copy = xreallocarray(NULL, s->nr, sizeof(*copy));
	uint32_t id;

	for (uint32_t i = 0; i < s->nr; i++) {
		const struct profile_label *l = &w->in->labels[s->first + i];

		copy[i] = (struct profile_label){string(w, l->key), string(w, l->str), l->num, string(w, l->unit)};
	}
	id = profile_add_labels(w->out, copy, s->nr);
	free(copy);
	return id;
}

static void copy_head(struct map_work *w)
{
	struct profile *out = w->out;
	const struct profile *in = w->in;

	for (size_t i = 0; i < in->nr_series; i++)
		profile_add_series(out, profile_str(in, in->series[i].type), profile_str(in, in->series[i].unit));
	for (size_t i = 0; i < in->nr_mappings; i++) {
		struct profile_mapping m = in->mappings[i];

		m.file = string(w, m.file);
		m.build_id = string(w, m.build_id);
		ALLOC_GROW(out->mappings, out->nr_mappings + 1, out->alloc_mappings);
		out->mappings[out->nr_mappings++] = m;
	}
	for (size_t i = 0; i < in->nr_comments; i++) {
		ALLOC_GROW(out->comments, out->nr_comments + 1, out->alloc_comments);
		out->comments[out->nr_comments++] = string(w, in->comments[i]);
	}
	out->default_series = in->default_series;
	out->time_ns = in->time_ns;
	out->duration_ns = in->duration_ns;
	out->period = in->period;
	out->period_type = string(w, in->period_type);
	out->period_unit = string(w, in->period_unit);
	out->drop_frames = string(w, in->drop_frames);
	out->keep_frames = string(w, in->keep_frames);
	out->unread_frames = in->unread_frames;
	out->damage = in->damage;
}

void profile_map(struct profile *out, const struct profile *in, profile_map_fn *map, void *ctx, uint32_t *nodes)
{
	struct map_work w = {.out = out, .in = in, .frames = xcalloc(in->nr_frames, sizeof(*w.frames))};
	uint32_t *path = NULL;
	size_t alloc = 0;

	copy_head(&w);
	for (size_t r = 0; r < in->nr_rows; r++) {
		size_t depth = profile_path(in, in->rows[r].node, NULL, 0), row;
		const uint32_t *frames;
		uint32_t node = 0;
		ptrdiff_t kept;

		ALLOC_GROW(path, depth, alloc);
		profile_path(in, in->rows[r].node, path, depth);
		frames = path;
		kept = map(ctx, path, depth, &frames);
		if (nodes)
			nodes[in->rows[r].node] = PROFILE_NO_NODE;
		if (kept < 0)
			continue;
		for (ptrdiff_t i = 0; i < kept; i++)
			node = profile_add_node(out, node, frame(&w, frames[i]));
		if (nodes)
			nodes[in->rows[r].node] = node;
		row = profile_add_row(out, node, labels(&w, in->rows[r].labels));
		for (size_t s = 0; s < in->nr_series; s++)
			profile_add_value(out, row, s, in->series[s].values[r]);
	}
	free(w.frames);
	free(path);
}
