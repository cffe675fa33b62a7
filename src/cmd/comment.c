#include "cmd/comment.h"

#include <stdlib.h>

bool comment_start(struct comment *c, FILE *f)
{
	*c = (struct comment){.f = f};
	c->row = open_memstream(&c->text, &c->size);
	return c->row != NULL;
}

bool comment_take(struct comment *c)
{
	bool fits;

	fflush(c->row);
	fits = c->used + c->size <= COMMENT_MAX;
	if (fits) {
		fwrite(c->text, 1, c->size, c->f);
		c->used += c->size;
	}
	rewind(c->row);
	return fits;
}

void comment_end(struct comment *c)
{
	fclose(c->row);
	free(c->text);
}
