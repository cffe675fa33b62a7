//go:build !small
// +build !small

package run

import _ "net/http/pprof" // a third of a megabyte that the bundled recording does without
