// Package run holds what the sample programs share: flags, the profile and trace of the same
// seconds, the pprof endpoints and the end of the run. Standard library only, Go 1.17 and later.
package run

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	seconds    = flag.Float64("seconds", 3, "how long to run")
	procs      = flag.Int("procs", 0, "GOMAXPROCS (0: as Go chooses)")
	cpuprofile = flag.String("cpuprofile", "", "write a CPU profile of the run to `FILE`")
	tracefile  = flag.String("trace", "", "write an execution trace of the run to `FILE`")
	rate       = flag.Int("rate", 100, "CPU profile rate in Hz")
	listen     = flag.String("http", "", "serve /debug/pprof on `ADDRESS` (127.0.0.1:0 picks a port)")

	over int32
)

// Over reports whether the run's seconds have passed. It is cheap enough for inner loops.
func Over() bool { return atomic.LoadInt32(&over) != 0 }

// End lets Over report true from now on.
func End() { atomic.StoreInt32(&over, 1) }

// Listen serves the default mux, which has /debug/pprof (unless built with -tags small), and returns the address it got.
func Listen(address string) string {
	l, err := net.Listen("tcp", address)
	if err != nil {
		Fatal(err)
	}
	go http.Serve(l, nil)
	fmt.Fprintf(os.Stderr, "listening on http://%s/debug/pprof/\n", l.Addr())
	return l.Addr().String()
}

// Fatal ends the program with a message.
func Fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func create(path string) *os.File {
	f, err := os.Create(path)
	if err != nil {
		Fatal(err)
	}
	return f
}

// Main parses the flags and calls work between the start and the end of profile and trace. Work
// returns when Over does. The profile covers the seconds of work only.
func Main(work func()) {
	if !flag.Parsed() {
		flag.Parse()
	}
	if *procs > 0 {
		runtime.GOMAXPROCS(*procs)
	}
	if *listen != "" {
		Listen(*listen)
	}
	if *cpuprofile != "" {
		f := create(*cpuprofile)
		defer f.Close()
		if *rate != 100 {
			// StartCPUProfile then complains that the rate is set, and keeps ours.
			runtime.SetCPUProfileRate(*rate)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	if *tracefile != "" {
		f := create(*tracefile)
		defer f.Close()
		if err := trace.Start(f); err != nil {
			Fatal(err)
		}
		defer trace.Stop()
	}
	time.AfterFunc(time.Duration(*seconds*float64(time.Second)), End)
	work()
	fmt.Fprintf(os.Stderr, "CPU time %.3f s\n", cpuTime().Seconds())
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
