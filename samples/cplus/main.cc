// C++ with templates, inlined calls, a virtual call, an exception and a lambda: built with -O2 -g,
// most of what runs has no call instruction of its own.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace shapes {

struct Shape {
	virtual ~Shape() = default;
	virtual double area(int n) const = 0;
};

template <typename T> static inline T step(T x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ (x << 17);
}

template <typename T, int N> static inline T steps(T x)
{
	for (int i = 0; i < N; i++)
		x = step(x);
	return x;
}

struct Square : Shape {
	double area(int n) const override
	{
		unsigned long x = 1;
		for (int i = 0; i < n; i++)
			x = steps<unsigned long, 8>(x);
		return double(x);
	}
};

struct Circle : Shape {
	double area(int n) const override
	{
		std::vector<double> v(n);
		std::iota(v.begin(), v.end(), 1.0);
		std::sort(v.begin(), v.end(), [](double a, double b) { return a > b; });
		return std::accumulate(v.begin(), v.end(), 0.0, [](double a, double b) { return a + b * 0.5; });
	}
};

} // namespace shapes

static __attribute__((noinline)) int recurse(int depth, const shapes::Shape &s)
{
	if (depth == 0)
		return int(s.area(2000));
	return recurse(depth - 1, s) + depth;
}

static __attribute__((noinline)) int thrower(int n)
{
	if (n % 2)
		throw std::runtime_error("odd");
	return n;
}

static __attribute__((noinline)) int words(std::map<std::string, int> &m, int n)
{
	for (int i = 0; i < 200; i++)
		m[std::to_string((n * 31 + i) % 500)]++;
	return int(m.size());
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 3;
	auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
	std::vector<std::unique_ptr<shapes::Shape>> all;
	std::map<std::string, int> m;
	long sum = 0;

	all.push_back(std::make_unique<shapes::Square>());
	all.push_back(std::make_unique<shapes::Circle>());
	for (int i = 0; std::chrono::steady_clock::now() < end; i++) {
		sum += recurse(20, *all[i % all.size()]);
		sum += words(m, i);
		try {
			sum += thrower(i);
		} catch (const std::exception &e) {
			sum += e.what()[0];
		}
	}
	printf("%ld\n", sum);
	return 0;
}
