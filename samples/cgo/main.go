// C under Go and Go under C: C functions that burn CPU, one that recurses, and callbacks from C
// into Go that call C again.
package main

/*
unsigned long c_burn(unsigned long n);
unsigned long c_recurse(int depth, unsigned long n);
unsigned long c_call_go(int times, int depth);
*/
import "C"

import (
	"fmt"
	"os"
	"sync"

	"perfskew.example/samples/internal/run"
)

var sink uint64

//go:noinline
func goBurn(n int) uint64 {
	x := uint64(n) | 1
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

//export goCallback
func goCallback(depth C.int) C.ulong {
	v := C.ulong(goBurn(20000))
	if depth > 0 {
		v += C.c_call_go(1, depth-1)
	}
	return v
}

func inC() {
	for !run.Over() {
		sink += uint64(C.c_burn(100000))
	}
}

func inCDeep() {
	for !run.Over() {
		sink += uint64(C.c_recurse(30, 50000))
	}
}

func inGo() {
	for !run.Over() {
		sink += goBurn(100000)
	}
}

func callbacks() {
	for !run.Over() {
		sink += uint64(C.c_call_go(3, 2))
	}
}

func main() {
	run.Main(func() {
		var wg sync.WaitGroup
		for _, f := range []func(){inC, inCDeep, inGo, callbacks} {
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
