package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/exposition"
)

// largeResource returns a store whose text cannot be compressed well, with some cells
// much larger than a chunk.
func largeResource(t *testing.T, objects, size int) *Resource {
	t.Helper()
	t.Setenv("KUBESTATE_VALIDATE", "0")
	r := New(Config{Table: replicaSets(t)})
	f := r.NewFeed()
	rng := rand.New(rand.NewPCG(3, 4))
	f.Begin()
	for i := range objects {
		o := replicaSet(fmt.Sprint("rs-", i), 1)
		label := make([]byte, 0, size)
		for len(label) < size {
			label = fmt.Appendf(label, "%016x", rng.Uint64())
		}
		o.Labels["random"] = string(label)
		f.Put(o)
	}
	f.Commit()
	return r
}

// hesitant is a client that sometimes takes long.
type hesitant struct {
	bytes.Buffer
	rng     *rand.Rand
	one, of int // how often it takes long: one in of
	writes  int
	failing int // the write that fails; 0: none does
	largest int
}

var errGone = errors.New("client disconnected")

func (h *hesitant) Write(p []byte) (int, error) {
	h.writes++
	h.largest = max(h.largest, len(p))
	if h.rng.IntN(h.of) < h.one {
		time.Sleep(time.Duration(h.rng.Int64N(int64(3 * stalled))))
	}
	if h.writes == h.failing {
		return 0, errGone
	}
	return h.Buffer.Write(p)
}

// A body is the same however its client reads, and no buffer stays in use.
func TestConversionsForSlowClients(t *testing.T) {
	r := largeResource(t, 3*blockSlots, 4_000)
	s := r.Snapshot(Slice{})
	for _, format := range formats {
		whole := inAllEncodings(t, s, format)
		for _, encoding := range encodings {
			for _, of := range []int{0, 1, 3, 20} { // slow: never, always, often, seldom
				synctest.Test(t, func(t *testing.T) {
					c := NewConverter(r.packer)
					h := &hesitant{rng: rand.New(rand.NewPCG(uint64(of), 1)), one: min(of, 1), of: max(of, 1)}
					if err := NewBody(c, format, []*Snapshot{s}, nil).Write(h, encoding); err != nil {
						t.Fatal(err)
					}
					if decode(t, h.Bytes(), encoding) != whole {
						t.Errorf("format %d, encoding %d, slow once in %d: another body", format, encoding, of)
					}
					if encoding == exposition.Identity && h.largest > chunkSize {
						t.Errorf("format %d: a write of %d bytes", format, h.largest)
					}
					wantIdle(t, c)
					gone := &hesitant{rng: h.rng, one: h.one, of: h.of, failing: 1 + h.writes/2}
					if err := NewBody(c, format, []*Snapshot{s}, nil).Write(gone, encoding); !errors.Is(err, errGone) || gone.writes > gone.failing {
						t.Errorf("error %v, %d writes after it", err, gone.writes-gone.failing)
					}
					wantIdle(t, c)
				})
			}
		}
	}
}

func wantIdle(t *testing.T, c *Converter) {
	t.Helper()
	synctest.Wait()
	if live := c.live.Load(); live != 0 || len(c.turns) != 0 || len(c.ahead) != 0 {
		t.Errorf("%d batches, %d turns and %d pipelines in use", live, len(c.turns), len(c.ahead))
	}
}

// blocked is a client that takes some writes and then none.
type blocked struct {
	left    int
	release chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		<-b.release
		return 0, errGone
	}
	return len(p), nil
}

// However many clients stop reading, wherever in the body, they hold no batch, no turn
// and no pipeline, and others are served.
func TestStalledClientsHoldNothing(t *testing.T) {
	r := largeResource(t, 3*blockSlots, 4_000)
	s := r.Snapshot(Slice{})
	synctest.Test(t, func(t *testing.T) {
		c := NewConverter(r.packer)
		release := make(chan struct{})
		var clients sync.WaitGroup
		for i := range 100 {
			clients.Go(func() {
				b := &blocked{left: i % 10, release: release}
				if err := NewBody(c, formats[i%len(formats)], []*Snapshot{s}, nil).Write(b, exposition.Identity); !errors.Is(err, errGone) {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		time.Sleep(2 * stalled)
		wantIdle(t, c)
		for _, encoding := range encodings {
			var b bytes.Buffer
			if err := NewBody(c, exposition.Text, []*Snapshot{s}, nil).Write(&b, encoding); err != nil || b.Len() == 0 {
				t.Errorf("encoding %d: %d bytes, %v", encoding, b.Len(), err)
			}
		}
		close(release)
		clients.Wait()
		wantIdle(t, c)
	})
}

// watched notes how many batches are in use at each write.
type watched struct {
	io.Writer
	converter *Converter
	most      *atomic.Int64
}

func (w watched) Write(p []byte) (int, error) {
	for live := w.converter.live.Load(); ; {
		most := w.most.Load()
		if live <= most || w.most.CompareAndSwap(most, live) {
			return w.Writer.Write(p)
		}
	}
}

// Hundreds of clients that read a plain body over real sockets, a byte at a time, take
// little memory together, and a gzip or plain scrape next to them is whole.
func TestHundredsOfSlowClients(t *testing.T) {
	const clients = 400
	r := largeResource(t, 3*blockSlots, 8_000)
	c := NewConverter(r.packer)
	s := r.Snapshot(Slice{})
	whole := inAllEncodings(t, s, exposition.Text)
	var open, most atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Add(-1)
		e := exposition.Negotiate(r.Header).Encoding
		if h := e.ContentEncoding(); h != "" {
			w.Header().Set("Content-Encoding", h)
		}
		_ = NewBody(c, exposition.Text, []*Snapshot{s}, nil).Write(watched{w, c, &most}, e)
	}))
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		_ = conn.(*net.TCPConn).SetWriteBuffer(16 << 10) // so that the kernel takes little of a body
		return ctx
	}
	server.Start()
	defer server.Close()
	before := heap()
	for range clients {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the body is on its way
			t.Fatal(err)
		}
	}
	for c.live.Load() > 0 || len(c.ahead) > 0 { // until all have noticed that their client is slow
		runtime.Gosched()
	}
	if got := open.Load(); got != clients {
		t.Fatalf("%d of %d responses are under way", got, clients)
	}
	grown := heap() - before
	t.Logf("%d slow clients: %d KiB each", clients, grown/clients>>10)
	if grown > 200<<20 {
		t.Errorf("%d slow clients take %d MiB", clients, grown>>20)
	}
	for range 3 {
		for _, encoding := range []string{"gzip", "identity"} {
			if got := fetch(t, server.URL, encoding); got != whole {
				t.Errorf("%s: %d bytes, want %d", encoding, len(got), len(whole))
			}
		}
	}
	if got, limit := most.Load(), int64(cap(c.turns)+cap(c.ahead)*pipelineBatches()); got > limit {
		t.Errorf("up to %d batches were in use, want at most %d", got, limit)
	}
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

func fetch(t *testing.T, url, encoding string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if encoding == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The position after a chunk is exact also where a chunk ends with a part, or a byte before
// or after its end.
func TestPositionAfterAChunk(t *testing.T) {
	for ends, want := range map[[3]int][2]int{
		{chunkSize - 1, chunkSize + 5, chunkSize + 9}: {6, 1},
		{chunkSize, chunkSize + 5, chunkSize + 9}:     {6, 0},
		{chunkSize + 1, chunkSize + 5, chunkSize + 9}: {5, chunkSize},
		{10, 10, chunkSize + 1}:                       {7, chunkSize - 10}, // an empty part
		{10, chunkSize, chunkSize}:                    {8, 0},              // all is taken
	} {
		x := &batch{from: 5, to: 8, ends: ends[:], encoded: make([]byte, ends[2])}
		c := conversion{}
		next := c.take(x, 0)
		if got := [2]int{c.part, c.skip}; got != want || next != chunkSize || len(c.chunk) != chunkSize {
			t.Errorf("parts that end at %v: part and skip %v, want %v; %d bytes, next %d", ends, got, want, len(c.chunk), next)
		}
	}
}
