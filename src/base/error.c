#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *e, enum exit_code code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}
