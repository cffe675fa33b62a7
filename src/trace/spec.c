#include "trace/internal.h"

const struct event_spec event_specs[256] = {
#define X(id, number, name) [number] = {name, 0, 0, 0, 0, false},
	FOREACH_STRUCTURE(X)
#undef X
#define X(id, number, name, args, kind, stacks, strings) [number] = {name, args, kind, stacks, strings, true},
	FOREACH_EVENT(X)
#undef X
};

const char *trace_event_name(unsigned type)
{
	return type < 256 ? event_specs[type].name : NULL;
}

const char *trace_kind_name(enum trace_kind k)
{
	static const char *const names[] = {
#define X(id, name) [id] = name,
		FOREACH_TRACE_KIND(X)
#undef X
	};

	return names[k];
}

const char *trace_state_name(enum trace_state s)
{
	static const char *const names[] = {
#define X(id, name) [id] = name,
		FOREACH_TRACE_STATE(X)
#undef X
	};

	return names[s];
}
