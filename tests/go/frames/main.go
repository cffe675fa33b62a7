// Command frames prints what the runtime itself says of its own code: for
// addresses all over the text, the logical frames (inlined calls expanded as
// runtime/pprof does it) with file and line. The tests compare it with what is
// read from the binary.
//
//	frames MAIN START END STEP	(hexadecimal, hexadecimal, hexadecimal, decimal)
//
// MAIN is the address of main.main in the file, START and END are addresses in
// the file. Each line is: address, entry of the function, then for each frame,
// innermost first, name, file and line; all separated by tabs.
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	_ "unsafe"
)

//go:linkname expand runtime/pprof.runtime_expandFinalInlineFrame
func expand(stk []uintptr) []uintptr

func number(s string, base int) uintptr {
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		panic(err)
	}
	return uintptr(n)
}

type shape struct{ w, h int }

func (s shape) area() int { return s.w * s.h }

type sized interface{ area() int }

type named struct{ sized }

func clamp(a, lo, hi int) int {
	if a < lo {
		return lo
	}
	if a > hi {
		return hi
	}
	return a
}

func twice(f func(int) int, n int) int { return f(f(n)) }

// Inlined calls in inlined calls, closures, deferred calls and wrappers.
func work(n int) (sum int) {
	defer func() { sum += clamp(n, 1, 3) }()
	var s sized = named{shape{n, clamp(n, 2, 5)}}
	for i := 0; i < n; i++ {
		sum += twice(func(x int) int { return clamp(x+i, 0, 100) }, s.area())
	}
	return sum
}

func main() {
	if len(os.Args) != 5 {
		fmt.Println(work(len(os.Args)))
		return
	}
	bias := reflect.ValueOf(main).Pointer() - number(os.Args[1], 16)
	start, end := number(os.Args[2], 16), number(os.Args[3], 16)
	step := number(os.Args[4], 10)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for pc := start; pc < end; pc += step {
		// CallersFrames takes return addresses: that of a function's last
		// byte is the next function's.
		f, next := runtime.FuncForPC(pc+bias), runtime.FuncForPC(pc+bias+1)
		if f == nil || next == nil || f.Entry() != next.Entry() {
			continue
		}
		fmt.Fprintf(out, "%x\t%x", pc, f.Entry()-bias)
		frames := runtime.CallersFrames(expand([]uintptr{pc + bias + 1}))
		for more := true; more; {
			var fr runtime.Frame
			fr, more = frames.Next()
			fmt.Fprintf(out, "\t%s\t%s\t%d", fr.Function, fr.File, fr.Line)
		}
		fmt.Fprintln(out)
	}
}
