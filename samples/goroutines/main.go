// Goroutines in the ways that matter to a profiler: handing over through channels, many that live
// shortly, two with the same code and different work, allocation under a garbage collector, more
// runnable ones than processors, bursts that hide from the kernel's tick, and waiting of five kinds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"perfskew.example/samples/internal/run"
)

var (
	mode   = flag.String("mode", "pingpong", "pingpong, short, twins, alloc, spin, halves, tick or wait")
	number = flag.Int("n", 8, "pairs, goroutines at once, or spinners")
	count  = flag.Int("count", 10000, "short: how many goroutines in all; halves: million loop iterations of each")
	micros = flag.Int("micros", 200, "short: how long each burns CPU")
)

var sink uint64

//go:noinline
func burn(n int) uint64 {
	x := uint64(n) | 1
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

func burnFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		atomic.AddUint64(&sink, burn(2000))
	}
}

// pingpong: pairs hand a value to and fro through unbuffered channels.

func ping(to chan<- int, from <-chan int) {
	for !run.Over() {
		to <- 1
		<-from
	}
	close(to)
}

func pong(to chan<- int, from <-chan int) {
	for v := range from {
		to <- v
	}
}

func pingpong() {
	var wg sync.WaitGroup
	for i := 0; i < *number; i++ {
		a, b := make(chan int), make(chan int)
		wg.Add(1)
		go pong(b, a)
		go func() {
			defer wg.Done()
			ping(a, b)
		}()
	}
	wg.Wait()
}

// short: -count goroutines, at most -n at once, each burns -micros and ends. Even ones enter at
// shortEven, odd ones at shortOdd; both numbers are printed.

func shortEven(done chan<- struct{}) {
	burnFor(time.Duration(*micros) * time.Microsecond)
	done <- struct{}{}
}
func shortOdd(done chan<- struct{}) {
	burnFor(time.Duration(*micros) * time.Microsecond)
	done <- struct{}{}
}

func short() {
	done := make(chan struct{}, *number)
	even, odd, running := 0, 0, 0
	for i := 0; i < *count && !run.Over(); i++ {
		if i%2 == 0 {
			go shortEven(done)
			even++
		} else {
			go shortOdd(done)
			odd++
		}
		if running++; running == *number {
			<-done
			running--
		}
	}
	for ; running > 0; running-- {
		<-done
	}
	fmt.Fprintf(os.Stderr, "shortEven %d shortOdd %d\n", even, odd)
}

// twins: two goroutines of one function, one burns three times what the other does.

func twin(share int, out *int64) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("share", strconv.Itoa(share))))
	for !run.Over() {
		t := time.Now()
		for i := 0; i < share; i++ {
			atomic.AddUint64(&sink, burn(1000000))
		}
		*out += int64(time.Since(t))
		time.Sleep(time.Duration(4-share) * time.Since(t) / time.Duration(share))
	}
}

func twins() {
	var one, three int64
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { defer wg.Done(); twin(1, &one) }()
	go func() { defer wg.Done(); twin(3, &three) }()
	wg.Wait()
	fmt.Fprintf(os.Stderr, "twin(1) %d ms, twin(3) %d ms\n", one/1000000, three/1000000)
}

// alloc: small and large objects, maps and strings that die young.

type leaf struct {
	next *leaf
	name string
	data []byte
}

func allocate() {
	var keep [64]*leaf
	for i := 0; !run.Over(); i++ {
		l := &leaf{name: strings.Repeat("x", i%50), data: make([]byte, 16<<(i%8))}
		l.next = keep[(i*7)%64]
		if i%16 == 0 {
			l.next = nil
		}
		keep[i%64] = l
		if i%64 == 0 {
			m := map[int]*leaf{}
			for k, v := range keep {
				m[k] = v
			}
			atomic.AddUint64(&sink, uint64(len(m)))
		}
	}
}

func alloc() {
	var wg sync.WaitGroup
	for i := 0; i < *number; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			allocate()
		}()
	}
	wg.Wait()
}

// spin: -n goroutines that never block, so that the scheduler preempts them by signal. With -procs
// above the number of CPUs this is a container whose CPUs are limited.

func spinner() {
	for !run.Over() {
		atomic.AddUint64(&sink, burn(1000000))
	}
}

func spin() {
	var wg sync.WaitGroup
	for i := 0; i < *number; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			spinner()
		}()
	}
	wg.Wait()
}

// halves: the same work twice, first by one goroutine and then by -n side by side (Go issue 35057). Each
// half has half of the CPU time.

//go:noinline
func oneByOne(n int) {
	for ; n > 0; n-- {
		atomic.AddUint64(&sink, burn(1000000))
	}
}

//go:noinline
func sideBySide(n int) {
	for ; n > 0; n-- {
		atomic.AddUint64(&sink, burn(1000000))
	}
}

func halves() {
	var wg sync.WaitGroup
	oneByOne(*count)
	for i := 0; i < *number; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sideBySide(*count / *number)
		}()
	}
	wg.Wait()
}

// tick: one thread that works in bursts between two ticks of the kernel and sleeps while the tick
// passes. The kernel looks at CPU time timers in its tick (kernel/time/posix-cpu-timers.c), so
// pprof's timer never expires while the burst runs.

func clock(id uintptr) int64 {
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

const (
	monotonic       = 1
	monotonicCoarse = 6 // advances in the tick
)

// tickEdges returns when a tick was seen (CLOCK_MONOTONIC, ns), and the time between ticks.
func tickEdges() (edge, period int64) {
	var gaps []int64
	last := clock(monotonicCoarse)
	for len(gaps) < 5 {
		now := clock(monotonicCoarse)
		if now != last {
			gaps = append(gaps, now-last)
			edge, last = clock(monotonic), now
		}
	}
	sort.Slice(gaps, func(i, j int) bool { return gaps[i] < gaps[j] })
	// HZ is 100, 250, 300 or 1000: round to what divides a second.
	hz := (1000000000 + gaps[2]/2) / gaps[2]
	return edge, 1000000000 / hz
}

//go:noinline
func burst(until int64) (spent int64) {
	start := clock(monotonic)
	for clock(monotonic) < until {
		atomic.AddUint64(&sink, burn(2000))
	}
	return clock(monotonic) - start
}

func sleepUntil(at int64) {
	if d := at - clock(monotonic); d > 0 {
		ts := syscall.NsecToTimespec(d)
		syscall.Nanosleep(&ts, nil)
	}
}

func tick() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	edge, period := tickEdges()
	var spent int64
	bursts := 0
	for !run.Over() {
		// from 1/10 to 7/10 of the period after the tick
		n := (clock(monotonic) - edge) / period
		start := edge + (n+1)*period
		sleepUntil(start + period/10)
		spent += burst(start + period*7/10)
		bursts++
	}
	fmt.Fprintf(os.Stderr, "tick %d us: %d bursts, %d ms\n", period/1000, bursts, spent/1000000)
}

// wait: five goroutines, each of which waits in its own way nearly all the time; what they waited by
// their own clock is printed, in ms.

var waited [5]int64

func timed(i int, wait func()) {
	start := clock(monotonic)
	wait()
	waited[i] += clock(monotonic) - start
}

//go:noinline
func waitSyscall(wg *sync.WaitGroup) {
	defer wg.Done()
	runtime.LockOSThread()
	for !run.Over() {
		ts := syscall.NsecToTimespec(int64(20 * time.Millisecond))
		timed(0, func() { syscall.Nanosleep(&ts, nil) })
	}
}

//go:noinline
func waitSleep(wg *sync.WaitGroup) {
	defer wg.Done()
	for !run.Over() {
		timed(1, func() { time.Sleep(20 * time.Millisecond) })
	}
}

//go:noinline
func waitChannel(wg *sync.WaitGroup, c <-chan struct{}) {
	defer wg.Done()
	for !run.Over() {
		timed(2, func() { <-c })
	}
}

//go:noinline
func waitMutex(wg *sync.WaitGroup, m *sync.Mutex) {
	defer wg.Done()
	for !run.Over() {
		timed(3, m.Lock)
		m.Unlock()
	}
}

//go:noinline
func waitNetwork(wg *sync.WaitGroup, r *os.File) {
	defer wg.Done()
	var b [1]byte
	for !run.Over() {
		timed(4, func() { r.Read(b[:]) })
	}
}

func wait() {
	var m sync.Mutex
	var wg sync.WaitGroup
	c := make(chan struct{}, 1)
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	wg.Add(5)
	go waitSyscall(&wg)
	go waitSleep(&wg)
	go waitChannel(&wg, c)
	go waitMutex(&wg, &m)
	go waitNetwork(&wg, r)
	for !run.Over() {
		m.Lock()
		time.Sleep(20 * time.Millisecond)
		m.Unlock()
		c <- struct{}{}
		w.Write([]byte{1})
	}
	c <- struct{}{}
	w.Close()
	wg.Wait()
	fmt.Fprintf(os.Stderr, "waited: syscall %d sleep %d channel %d mutex %d network %d\n", waited[0]/1e6, waited[1]/1e6,
		waited[2]/1e6, waited[3]/1e6, waited[4]/1e6)
}

func main() {
	modes := map[string]func(){
		"pingpong": pingpong, "short": short, "twins": twins, "alloc": alloc, "spin": spin, "halves": halves,
		"tick": tick, "wait": wait,
	}
	flag.Parse()
	f := modes[*mode]
	if f == nil {
		fmt.Fprintln(os.Stderr, "unknown mode", *mode)
		os.Exit(2)
	}
	run.Main(f)
}
