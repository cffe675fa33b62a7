/*
 * Source: Itanium C++ ABI section 3.4 (__cxa_demangle, from libstdc++); Rust RFC
 * 2603 (v0) and rustc's legacy scheme (_ZN…17h<16 hex digits>E).
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "process/symbol.h"

/* Longer names cost the demangler time that grows faster than they do. */
#define MAX_NAME 4096
/* Of a demangled name, by estimate; the largest of 75,000 in LLVM and clang is 0.5 MB. */
#define MAX_PLAIN (1 << 20)
#define MAX_GROUPS 256
#define MAX_SUBSTITUTIONS 1024

extern char *__cxa_demangle(const char *name, char *buf, size_t *size, int *status);

/*
 * How large the demangled name may become. A substitution (S_, S0_ …) stands for
 * an earlier part, which may hold substitutions itself: a name of 235 bytes can
 * stand for 270 MB, and __cxa_demangle has no limit. Without parsing the grammar:
 * a substitution is taken to be as large as the largest part there was when it,
 * or a later one, was first used.
 */
struct estimate {
	const char *p;
	uint64_t group[MAX_GROUPS]; /* open N…E, I…E and the like: bytes so far */
	unsigned depth;
	uint64_t largest;
	uint64_t substitution[MAX_SUBSTITUTIONS];
	unsigned known;
};

static void grow(struct estimate *e, uint64_t n)
{
	uint64_t *g = &e->group[e->depth];

	*g = *g + n > MAX_PLAIN ? MAX_PLAIN + 1 : *g + n;
	if (*g > e->largest)
		e->largest = *g;
}

static void source_name(struct estimate *e)
{
	size_t n = 0;

	while (*e->p >= '0' && *e->p <= '9') {
		n = n > MAX_NAME ? n : n * 10 + (size_t)(*e->p - '0');
		e->p++;
	}
	if (n > strnlen(e->p, n))
		n = 0; /* a number, not a length */
	e->p += n;
	grow(e, n + 2);
}

/* What follows S or T: base 36, then "_"; false when it is none. */
static bool sequence(const char **p, unsigned *index)
{
	const char *s = *p;
	unsigned v = 0;

	for (; (*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z'); s++)
		v = v > MAX_NAME ? v : v * 36 + (unsigned)(*s <= '9' ? *s - '0' : *s - 'A' + 10);
	if (*s != '_')
		return false;
	*index = s == *p ? 0 : v + 1;
	*p = s + 1;
	return true;
}

static void substitution(struct estimate *e)
{
	unsigned i;

	if (!sequence(&e->p, &i)) {
		grow(e, 20); /* St, Sa, Ss … */
		return;
	}
	if (i >= MAX_SUBSTITUTIONS)
		i = MAX_SUBSTITUTIONS - 1;
	while (e->known <= i)
		e->substitution[e->known++] = e->largest;
	grow(e, e->substitution[i]);
}

static bool too_large(const char *name)
{
	struct estimate e = {.p = name + 2};
	unsigned i;

	while (*e.p && e.largest <= MAX_PLAIN) {
		char c = *e.p;

		if (c >= '0' && c <= '9') {
			source_name(&e);
			continue;
		}
		e.p++;
		if (c == 'S') {
			substitution(&e);
		} else if (c == 'T' && sequence(&e.p, &i)) {
			grow(&e, e.largest);
		} else if (strchr("NIJFXZ", c) && e.depth + 1 < MAX_GROUPS) {
			e.group[++e.depth] = 0;
		} else if (c == 'E' && e.depth) {
			e.depth--;
			grow(&e, e.group[e.depth + 1] + 4);
		} else {
			grow(&e, 6);
		}
	}
	return e.largest > MAX_PLAIN;
}

/* "::h" and 16 hexadecimal digits at the end: rustc's hash. */
static bool has_rust_hash(const char *s, size_t len)
{
	if (len < 19 || strncmp(s + len - 19, "::h", 3) != 0)
		return false;
	return strspn(s + len - 16, "0123456789abcdef") == 16;
}

/* $LT$ and kin: rustc_demangle's table; ".." stands for "::". */
static void decode_rust(char *s)
{
	static const struct {
		const char *code;
		char c;
	} codes[] = {{"$SP$", '@'}, {"$BP$", '*'}, {"$RF$", '&'}, {"$LT$", '<'}, {"$GT$", '>'},
		     {"$LP$", '('}, {"$RP$", ')'}, {"$C$", ','},  {"$u7e$", '~'}, {"$u20$", ' '},
		     {"$u27$", '\''}, {"$u5b$", '['}, {"$u5d$", ']'}, {"$u7b$", '{'}, {"$u7d$", '}'},
		     {"$u3b$", ';'}, {"$u2b$", '+'}, {"$u22$", '"'}};
	char *to = s;

	while (*s) {
		size_t i = 0, nr = sizeof(codes) / sizeof(*codes);

		if (*s == '$')
			while (i < nr && strncmp(s, codes[i].code, strlen(codes[i].code)) != 0)
				i++;
		if (*s == '$' && i < nr) {
			*to++ = codes[i].c;
			s += strlen(codes[i].code);
		} else if (s[0] == '.' && s[1] == '.') {
			*to++ = ':';
			*to++ = ':';
			s += 2;
		} else if (s[0] == '_' && s[1] == '$') {
			s++; /* a leading _ keeps the segment an identifier */
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

char *demangle(const char *name)
{
	char *plain;
	size_t len;
	int status;

	if (strncmp(name, "_Z", 2) != 0 || strnlen(name, MAX_NAME + 1) > MAX_NAME || too_large(name))
		return NULL;
	plain = __cxa_demangle(name, NULL, NULL, &status);
	if (!plain || status) {
		free(plain);
		return NULL;
	}
	len = strlen(plain);
	if (has_rust_hash(plain, len)) {
		plain[len - 19] = '\0';
		decode_rust(plain);
	}
	return plain;
}
