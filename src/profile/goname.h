/*
 * What Go's toolchain makes of function names.
 * Source: cmd/internal/objabi, cmd/compile/internal/ir (closures, wrappers),
 * runtime/traceback.go (elideWrapperCalling).
 */
#ifndef PROFILE_GONAME_H
#define PROFILE_GONAME_H

#include <stdbool.h>

/* The compiler's wrappers: x-fm, f.gowrap1, f.deferwrap2, f·dwrap·1. */
bool goname_is_wrapper(const char *name);
/*
 * The same of a function whose file is known: promoted methods and what has another
 * calling convention are made by the compiler, too, and have no file. So have
 * comparisons, hashes and initialisers, which are no wrappers.
 */
bool goname_is_made_wrapper(const char *name, const char *file);
/* gopanic, sigpanic, panicwrap: a wrapper that calls one of these is shown. */
bool goname_is_panic(const char *name);
/* Length of the name without .abi0, .abi1, .abiinternal, which only symbol tables have. */
int goname_length(const char *name);

#endif
