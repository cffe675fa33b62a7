// The shapes of Go code that are hard to unwind or to name: deep recursion, closures, generics,
// select, defer, recovered panics, method values and wrappers, maps, channels, growing stacks.
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"perfskew.example/samples/internal/run"
)

var sink uint64

//go:noinline
func burn(n int) uint64 {
	x := uint64(n) | 1
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// Deep recursion: 300 frames of different sizes, and two functions that call each other.

//go:noinline
func descend(n int) uint64 {
	var pad [24]byte
	if n == 0 {
		return burn(4000)
	}
	pad[n%24] = byte(n)
	return descend(n-1) + uint64(pad[(n+1)%24])
}

//go:noinline
func even(n int) uint64 {
	if n == 0 {
		return burn(2000)
	}
	return odd(n-1) + 1
}

//go:noinline
func odd(n int) uint64 {
	var pad [64]uint64
	pad[n%64] = uint64(n)
	if n == 0 {
		return burn(2000)
	}
	return even(n-1) + pad[3]
}

func recursion() {
	for !run.Over() {
		sink += descend(300)
		sink += even(60)
		sink += descend(20)
	}
}

// Closures: nested, captured by reference, passed on.

func compose(fs ...func(uint64) uint64) func(uint64) uint64 {
	return func(x uint64) uint64 {
		for _, f := range fs {
			x = f(x)
		}
		return x
	}
}

func closures() {
	var calls int
	twice := func(f func(uint64) uint64) func(uint64) uint64 {
		return func(x uint64) uint64 { return f(f(x)) }
	}
	step := func(x uint64) uint64 {
		calls++
		return x + burn(300)
	}
	f := compose(step, twice(step), func(x uint64) uint64 {
		inner := func() uint64 { return x ^ burn(500) }
		return inner()
	})
	for !run.Over() {
		sink += f(1)
		words := strings.Fields("the quick brown fox jumps over the lazy dog again and again")
		sort.Slice(words, func(i, j int) bool { return strings.ToLower(words[i]) < strings.ToLower(words[j]) })
	}
	sink += uint64(calls)
}

// Select: several channels, a default branch, a timer.

func selects() {
	a, b, quit := make(chan int), make(chan string, 4), make(chan struct{})
	go func() {
		for i := 0; ; i++ {
			select {
			case a <- i:
			case b <- strconv.Itoa(i):
			case <-quit:
				return
			}
		}
	}()
	t := time.NewTicker(time.Millisecond)
	defer t.Stop()
	for !run.Over() {
		select {
		case n := <-a:
			sink += burn(n%100 + 200)
		case s := <-b:
			sink += uint64(len(s))
		case <-t.C:
			sink += burn(2000)
		}
		select {
		case n := <-a:
			sink += uint64(n)
		default:
		}
	}
	close(quit)
}

// Defer: plain, in loops (heap allocated), with panics that are recovered, from the language
// (nil pointer, index) and by call.

type guarded struct {
	mu sync.Mutex
	n  map[int]int
}

func (g *guarded) add(k int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n[k%64] += int(burn(100) & 1)
}

//go:noinline
func mayPanic(k int) (v int) {
	defer func() {
		if r := recover(); r != nil {
			v = int(burn(400) & 3)
		}
	}()
	switch k % 3 {
	case 0:
		var p *guarded
		return len(p.n)
	case 1:
		return []int{1, 2, 3}[k%7+3]
	}
	panic("mayPanic")
}

func deferred() {
	g := guarded{n: map[int]int{}}
	for k := 0; !run.Over(); k++ {
		for i := 0; i < 4; i++ {
			g.add(k)
		}
		func() {
			for i := 0; i < 8; i++ {
				defer func(i int) { sink += burn(50 + i) }(i)
			}
		}()
		sink += uint64(mayPanic(k))
	}
}

// Method values, method expressions, promoted methods, interfaces over embedded types: each has a
// wrapper the compiler made.

type shape interface {
	area(n int) uint64
	name() string
}
type base struct{ k int }

func (b base) area(n int) uint64  { return burn(n + b.k) }
func (b *base) grow(n int) uint64 { b.k = (b.k + 1) % 100; return burn(n) }
func (b base) name() string       { return "base" }
func (b base) String() string     { return "base " + strconv.Itoa(b.k) }

type square struct {
	*base
	side int
}
type holder struct{ shape }

func methods() {
	b := &base{k: 10}
	shapes := []shape{b, square{b, 3}, &square{b, 4}, holder{b}, &holder{square{b, 5}}}
	area := b.area
	grow := square{b, 6}.grow
	expr := (*base).grow
	byValue := shape.area
	for i := 0; !run.Over(); i++ {
		s := shapes[i%len(shapes)]
		sink += s.area(200) + uint64(len(s.name()))
		sink += area(200) + grow(200) + expr(b, 200) + byValue(s, 200)
		sink += uint64(len(fmt.Sprint(b)))
		var wg sync.WaitGroup
		wg.Add(1)
		go func() { defer wg.Done(); sink += grow(100) }()
		wg.Wait()
	}
}

// Maps with keys of several kinds, and assembly leaves.

type key struct {
	a int
	b string
}

func maps() {
	ints, strs, structs := map[int]int{}, map[string]int{}, map[key]int{}
	for i := 0; !run.Over(); i++ {
		ints[i%5000]++
		strs[strconv.Itoa(i%700)]++
		structs[key{i % 300, "k"}]++
		if i%10000 == 0 {
			for k := range ints {
				delete(ints, k)
			}
		}
	}
	sink += uint64(len(ints) + len(strs) + len(structs))
}

func assembly() {
	buf := bytes.Repeat([]byte("perf and pprof "), 200)
	for !run.Over() {
		h := sha256.Sum256(buf)
		sink += uint64(h[0]) + uint64(bytes.Count(buf, []byte("p"))) + uint64(bytes.IndexByte(buf, 0))
	}
}

// Channels: a pipeline of stages, and goroutines whose stack grows.

func stage(in <-chan int, out chan<- int) {
	for v := range in {
		out <- v + int(burn(50)&1)
	}
	close(out)
}

func pipeline() {
	for !run.Over() {
		first := make(chan int, 8)
		in := first
		for i := 0; i < 4; i++ {
			out := make(chan int)
			go stage(in, out)
			in = out
		}
		go func() {
			for i := 0; i < 500; i++ {
				first <- i
			}
			close(first)
		}()
		for v := range in {
			sink += uint64(v)
		}
	}
}

func growing() {
	for !run.Over() {
		var wg sync.WaitGroup
		for i := 0; i < 8; i++ {
			wg.Add(1)
			go func() {
				sink += odd(40)
				wg.Done()
			}()
		}
		wg.Wait()
	}
}

// The parts race for sink on purpose: it only keeps results alive.
func main() {
	run.Main(func() {
		var wg sync.WaitGroup
		parts := []func(){recursion, closures, selects, deferred, methods, maps, assembly, pipeline, growing}
		for _, f := range append(parts, generics...) {
			wg.Add(1)
			go func(f func()) {
				defer wg.Done()
				f()
			}(f)
		}
		wg.Wait()
		fmt.Fprintln(os.Stderr, "sink", sink)
	})
}
