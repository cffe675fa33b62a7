// Ten functions that burn CPU in the proportions 1:2:...:10, one after the other or each in its own
// goroutine: the test of Go issue 35057 and of proposal 36821. What share a profiler gives to burnK
// must be K/55.
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"perfskew.example/samples/internal/run"
)

var (
	serial = flag.Bool("serial", false, "one after the other instead of ten goroutines")
	work   = flag.Int("work", 100, "million loop iterations of the smallest function")
	rounds = flag.Int("rounds", 100, "serial: into how many rounds the work is cut")
)

var sink uint64

func keep(x uint64) { atomic.AddUint64(&sink, x) }

//go:noinline
func burn1(n int) {
	x := uint64(1)
	for i := 0; i < 1*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn2(n int) {
	x := uint64(2)
	for i := 0; i < 2*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn3(n int) {
	x := uint64(3)
	for i := 0; i < 3*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn4(n int) {
	x := uint64(4)
	for i := 0; i < 4*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn5(n int) {
	x := uint64(5)
	for i := 0; i < 5*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn6(n int) {
	x := uint64(6)
	for i := 0; i < 6*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn7(n int) {
	x := uint64(7)
	for i := 0; i < 7*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn8(n int) {
	x := uint64(8)
	for i := 0; i < 8*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn9(n int) {
	x := uint64(9)
	for i := 0; i < 9*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

//go:noinline
func burn10(n int) {
	x := uint64(10)
	for i := 0; i < 10*n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	keep(x)
}

func main() {
	run.Main(func() {
		burns := []func(int){burn1, burn2, burn3, burn4, burn5, burn6, burn7, burn8, burn9, burn10}
		n := *work * 1000000
		if *serial {
			for i := 0; i < *rounds; i++ {
				for _, f := range burns {
					f(n / *rounds)
				}
			}
		} else {
			var wg sync.WaitGroup
			for _, f := range burns {
				wg.Add(1)
				go func(f func(int)) {
					defer wg.Done()
					f(n)
				}(f)
			}
			wg.Wait()
		}
		fmt.Fprintln(os.Stderr, "sink", sink)
	})
}
