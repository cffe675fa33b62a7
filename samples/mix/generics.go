//go:build go1.18
// +build go1.18

package main

import "perfskew.example/samples/internal/run"

var generics = []func(){genericFuncs, genericTypes}

type number interface {
	~int | ~uint64 | ~float64
}

//go:noinline
func mapSlice[T, U any](in []T, f func(T) U) []U {
	out := make([]U, 0, len(in))
	for _, v := range in {
		out = append(out, f(v))
	}
	return out
}

//go:noinline
func sum[T number](in []T) (s T) {
	for _, v := range in {
		s += v
	}
	return s
}

func genericFuncs() {
	ints := make([]int, 200)
	for i := range ints {
		ints[i] = i
	}
	for !run.Over() {
		f := mapSlice(ints, func(i int) float64 { return float64(i) * 1.5 })
		p := mapSlice(ints, func(i int) struct{ A, B int } { return struct{ A, B int }{i, int(burn(20) & 1)} })
		sink += uint64(sum(ints)) + uint64(sum(f)) + uint64(len(p))
	}
}

type tree[K any, V any] struct {
	less  func(a, b K) bool
	root  *node[K, V]
	count int
}
type node[K any, V any] struct {
	key         K
	value       V
	left, right *node[K, V]
}

func (t *tree[K, V]) put(k K, v V) {
	at := &t.root
	for *at != nil {
		switch {
		case t.less(k, (*at).key):
			at = &(*at).left
		case t.less((*at).key, k):
			at = &(*at).right
		default:
			(*at).value = v
			return
		}
	}
	*at = &node[K, V]{key: k, value: v}
	t.count++
}

func (n *node[K, V]) each(f func(K, V)) {
	if n == nil {
		return
	}
	n.left.each(f)
	f(n.key, n.value)
	n.right.each(f)
}

func genericTypes() {
	for seed := uint64(1); !run.Over(); seed++ {
		byInt := tree[uint64, string]{less: func(a, b uint64) bool { return a < b }}
		byKey := tree[key, int]{less: func(a, b key) bool { return a.a < b.a }}
		x := seed
		for i := 0; i < 200; i++ {
			x = x*6364136223846793005 + 1442695040888963407
			byInt.put(x>>40, "v")
			byKey.put(key{int(x >> 45), "k"}, i)
		}
		byInt.root.each(func(k uint64, v string) { sink += k + uint64(len(v)) })
		byKey.root.each(func(k key, v int) { sink += uint64(v) })
	}
}
