#include "_cgo_export.h"

static unsigned long mix(unsigned long x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

unsigned long c_burn(unsigned long n)
{
	unsigned long x = n | 1;

	for (unsigned long i = 0; i < n; i++)
		x = mix(x);
	return x;
}

unsigned long c_recurse(int depth, unsigned long n)
{
	volatile char pad[48];

	pad[depth % 48] = (char)depth;
	if (depth == 0)
		return c_burn(n);
	return c_recurse(depth - 1, n) + (unsigned long)pad[depth % 48];
}

unsigned long c_call_go(int times, int depth)
{
	unsigned long x = 0;

	for (int i = 0; i < times; i++)
		x += c_burn(20000) + goCallback(depth);
	return x;
}
