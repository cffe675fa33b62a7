#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

const char *library_open(const char *soname, const struct library_call *calls, size_t nr)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < nr; i++) {
		void *call = dlsym(library, calls[i].name);

		if (!call)
			return dlerror();
		/* POSIX: a pointer to a function fits, and has the same form */
		memcpy(calls[i].at, &call, sizeof(call));
	}
	return library ? NULL : dlerror();
}
