#include "base/damage.h"

static const char *const texts[DAMAGE_KINDS] = {
#define X(id, text) [id] = text,
	FOREACH_DAMAGE(X)
#undef X
};

void damage_add(struct damage *d, enum damage_kind kind, uint64_t offset)
{
	if (!d->kind[kind].count++ || offset < d->kind[kind].offset)
		d->kind[kind].offset = offset;
}

void damage_merge(struct damage *into, const struct damage *from)
{
	for (int i = 0; i < DAMAGE_KINDS; i++) {
		if (!from->kind[i].count)
			continue;
		if (!into->kind[i].count || from->kind[i].offset < into->kind[i].offset)
			into->kind[i].offset = from->kind[i].offset;
		into->kind[i].count += from->kind[i].count;
	}
}

uint64_t damage_total(const struct damage *d)
{
	uint64_t n = 0;

	for (int i = 0; i < DAMAGE_KINDS; i++)
		n += d->kind[i].count;
	return n;
}

const char *damage_text(enum damage_kind kind)
{
	return texts[kind];
}
