// An HTTP and JSON server with its own clients, on loopback: the everyday Go program.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"perfskew.example/samples/internal/run"
)

var (
	clients = flag.Int("clients", 8, "number of client goroutines")
	address = flag.String("addr", "127.0.0.1:0", "address of the server, /debug/pprof included")
)

type item struct {
	ID    int               `json:"id"`
	Name  string            `json:"name"`
	Price float64           `json:"price"`
	Tags  []string          `json:"tags"`
	Attrs map[string]string `json:"attrs"`
}

type order struct {
	Customer string `json:"customer"`
	Items    []item `json:"items"`
}

type answer struct {
	Total float64  `json:"total"`
	Names []string `json:"names"`
	Sum   string   `json:"sum"`
}

type store struct {
	mu   sync.Mutex
	seen map[string]int
}

func (s *store) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[name]++
	return s.seen[name]
}

func total(items []item) (sum float64) {
	for i := range items {
		sum += items[i].Price * float64(1+i%3)
	}
	return sum
}

func names(items []item) []string {
	out := make([]string, 0, len(items))
	for _, it := range items {
		out = append(out, strings.ToUpper(it.Name)+"-"+strings.Join(it.Tags, "+"))
	}
	sort.Slice(out, func(i, j int) bool { return out[i] > out[j] })
	return out
}

func checksum(b []byte) string {
	for i := 0; i < 4; i++ {
		h := sha256.Sum256(b)
		b = append(b[:0:0], h[:]...)
	}
	return hex.EncodeToString(b)
}

func (s *store) handleOrder(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	for _, it := range o.Items {
		s.count(it.Name)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer{total(o.Items), names(o.Items), checksum(body)})
}

func handleZip(w http.ResponseWriter, r *http.Request) {
	z := gzip.NewWriter(w)
	for i := 0; i < 200; i++ {
		fmt.Fprintf(z, "line %d of the page %s\n", i, r.URL.Path)
	}
	z.Close()
}

func makeOrder(n int) []byte {
	o := order{Customer: fmt.Sprintf("customer %d", n)}
	for i := 0; i < 12; i++ {
		o.Items = append(o.Items, item{
			ID: i, Name: fmt.Sprintf("item %d", (n+i)%40), Price: float64(i) * 1.25,
			Tags:  []string{"new", "sale", "blue"},
			Attrs: map[string]string{"size": "L", "weight": "12", "origin": "somewhere"},
		})
	}
	b, err := json.Marshal(o)
	if err != nil {
		run.Fatal(err)
	}
	return b
}

var requests, failures int64

func client(base string, n int) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	body := makeOrder(n)
	for i := 0; !run.Over(); i++ {
		var resp *http.Response
		var err error
		if i%4 == 3 {
			resp, err = c.Get(base + "/zip/" + fmt.Sprint(n))
		} else {
			resp, err = c.Post(base+"/order", "application/json", bytes.NewReader(body))
		}
		if err != nil {
			atomic.AddInt64(&failures, 1)
			continue
		}
		if i%4 == 3 {
			io.Copy(io.Discard, resp.Body)
		} else {
			var a answer
			json.NewDecoder(resp.Body).Decode(&a)
			io.Copy(io.Discard, resp.Body)
		}
		resp.Body.Close()
		atomic.AddInt64(&requests, 1)
	}
}

func main() {
	run.Main(func() {
		s := &store{seen: map[string]int{}}
		http.HandleFunc("/order", s.handleOrder)
		http.HandleFunc("/zip/", handleZip)
		base := "http://" + run.Listen(*address)
		var wg sync.WaitGroup
		for i := 0; i < *clients; i++ {
			wg.Add(1)
			go func(n int) {
				defer wg.Done()
				client(base, n)
			}(i)
		}
		wg.Wait()
		fmt.Fprintf(os.Stderr, "%d requests, %d failures\n", requests, failures)
	})
}
