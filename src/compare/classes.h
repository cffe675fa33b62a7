/*
 * What a stack is busy with: one class, decided from its leaf upwards. Private to compare/.
 */
#ifndef COMPARE_CLASSES_H
#define COMPARE_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/compare.h"
#include "profile/profile.h"

/* What the names of a profile's frames say; arrays of nr_frames. */
struct classes {
	int8_t *category;     /* the class of the function's category, -1 none */
	bool *runtime;	      /* the runtime and what only it calls */
	bool *layer;	      /* passed over between a system call and who asked for it */
};

/* Looks at every frame of a profile of normalised names. */
void classes_make(struct classes *c, const struct profile *p);
void classes_release(struct classes *c);

/* The class of the stack that ends in this node. */
enum compare_class classes_find(const struct classes *c, const struct profile *p, uint32_t node);

/* Who asked for a system call: the frame of the nearest caller that is no layer; 0: the runtime itself. */
uint32_t classes_caller(const struct classes *c, const struct profile *p, uint32_t node);

#endif
