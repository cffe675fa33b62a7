# Sourced by record.sh and experiments.sh, which set $here (this folder) and stand in $out: builds the
# sample programs with any version of Go from 1.17 on, whatever the user's own settings are.

patch() { # the last release of a Go version that the samples were tried with
	case $1 in
	1.17) echo go1.17.13 ;; 1.18) echo go1.18.10 ;; 1.19) echo go1.19.13 ;; 1.20) echo go1.20.14 ;;
	1.21) echo go1.21.13 ;; 1.22) echo go1.22.12 ;; 1.23) echo go1.23.12 ;; 1.24) echo go1.24.13 ;;
	1.25) echo go1.25.11 ;; 1.26) echo go1.26.8 ;; 1.27) echo go1.27.4 ;; *) echo "go$1" ;;
	esac
}

# gotool VERSION ARG...: the go command of that version, whatever the user's settings are.
gotool() {
	v=$1
	shift
	case $(GOENV=off GOFLAGS='' GOTOOLCHAIN=local go env GOVERSION) in
	go$v|go$v.*) GOENV=off GOFLAGS='' GOTOOLCHAIN=local go "$@"; return ;;
	esac
	if [ "$v" = 1.19 ]; then
		# This one refuses to build from the module cache: work on a copy.
		if [ ! -x "$out/go1.19/bin/go" ]; then
			from=$(GOENV=off GOFLAGS='' GOTOOLCHAIN="$(patch 1.19)" go env GOROOT)
			cp -r "$from" "$out/go1.19"
			chmod -R u+w "$out/go1.19"
		fi
		GOENV=off GOFLAGS='' GOROOT="$out/go1.19" "$out/go1.19/bin/go" "$@"
		return
	fi
	GOENV=off GOFLAGS='' GOTOOLCHAIN="$(patch "$v")" go "$@"
}

# build PROGRAM VERSION MODE: leaves bin/PROGRAM-VERSION-MODE, sets $bin and $flags.
build() {
	src=$out/src/$2
	bin=bin/$1-$2-$3
	case $3 in
	plain) cgo=1; flags= ;;
	noopt) cgo=1; flags="-gcflags=all=-N -l" ;;
	stripped) cgo=1; flags="-ldflags=-s -w" ;;
	pie) cgo=0; flags="-buildmode=pie" ;;
	static) cgo=0; flags= ;;
	external) cgo=1; flags="-ldflags=-linkmode=external" ;;
	extpie) cgo=1; flags="-buildmode=pie -ldflags=-linkmode=external" ;;
	race) cgo=1; flags="-race" ;;
	esac
	if [ ! -x "$bin" ] || [ -n "$(find "$here/$1" "$here/internal" -name '*.*' -newer "$bin")" ]; then
		mkdir -p "$src"
		(cd "$here" && cp -r go.mod internal server mix cgo proportions goroutines "$src")
		gotool "$2" version >"$src/VERSION"
		(cd "$src" && gotool "$2" mod edit -go="$2")
		case $3 in
		extpie) (cd "$src" && CGO_ENABLED=1 gotool "$2" build -buildmode=pie \
			-ldflags=-linkmode=external -o "$out/$bin" "./$1") ;;
		*) (cd "$src" && CGO_ENABLED=$cgo gotool "$2" build ${flags:+"$flags"} -o "$out/$bin" "./$1") ;;
		esac
	fi
	flags="CGO_ENABLED=$cgo${flags:+ $flags}"
	go=$(sed 's/^go version //' "$src/VERSION")
}
