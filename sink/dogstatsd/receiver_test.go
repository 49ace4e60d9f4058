package dogstatsd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

var _ sink.Sink = (*Sink)(nil)

// receiver listens as an agent does and keeps the packets that it reads.
type receiver struct {
	address string // for Config.Address
	closer  io.Closer
	changed chan struct{}
	cut     bool // a stream may end within a frame

	mu      sync.Mutex
	conns   []net.Conn // of a stream
	packets []string
	errs    []error
}

// listen starts a receiver on path, or on any port for UDP.
func listen(t testing.TB, scheme, path string) *receiver {
	t.Helper()
	r := &receiver{address: scheme + "://" + path, changed: make(chan struct{}, 1)}
	var err error
	switch scheme {
	case "udp", "unix":
		var c net.PacketConn
		if scheme == "udp" {
			c, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		} else {
			c, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		}
		if err != nil {
			t.Fatal(err)
		}
		if u, ok := c.(*net.UDPConn); ok {
			r.address = "udp://" + u.LocalAddr().String()
			if err := u.SetReadBuffer(8 << 20); err != nil {
				t.Fatal(err)
			}
		}
		r.closer = c
		go sinktest.ReadDatagrams(c, r.got)
	case "unixstream":
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		r.closer = l
		go r.accept(l)
	}
	t.Cleanup(r.close)
	return r
}

func (r *receiver) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.conns = append(r.conns, c)
		r.mu.Unlock()
		go func() {
			err := sinktest.ReadFrames(c, r.got)
			if err != nil && (!r.cut || !errors.Is(err, io.ErrUnexpectedEOF)) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.errs = append(r.errs, err)
			}
		}()
	}
}

func (r *receiver) got(packet string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets = append(r.packets, packet)
	signal(r.changed)
}

// close stops the receiver and closes its connections and sockets.
func (r *receiver) close() {
	_ = r.closer.Close()
	if path, ok := strings.CutPrefix(r.address, "unix://"); ok {
		_ = os.Remove(path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
}

// lines waits for at least n lines and returns all of them.
func (r *receiver) lines(t testing.TB, n int) []string {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		lines, errs := split(r.packets), errors.Join(r.errs...)
		r.mu.Unlock()
		if errs != nil {
			t.Fatalf("malformed frames: %v", errs)
		}
		if len(lines) >= n {
			return lines
		}
		select {
		case <-r.changed:
		case <-timeout:
			t.Fatalf("got %d of %d lines", len(lines), n)
		}
	}
}

func split(packets []string) (lines []string) {
	for _, p := range packets {
		lines = append(lines, strings.Split(p, "\n")...)
	}
	return lines
}

// transports runs test with every transport and a path to listen on.
func transports(t *testing.T, test func(t *testing.T, scheme, path string)) {
	for _, scheme := range []string{"udp", "unix", "unixstream"} {
		t.Run(scheme, func(t *testing.T) {
			path := ""
			if scheme != "udp" {
				path = filepath.Join(t.TempDir(), "s")
			}
			test(t, scheme, path)
		})
	}
}

// newSink returns a Sink that is closed at the end of the test.
func newSink(t testing.TB, c Config) *Sink {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Forget(t, s)
	return s
}

// numbered returns a run of n series "m.<first>", "m.<first+1>" …, with the given
// number of bytes of tags.
func numbered(first, n, tags int) *sink.Run {
	block := &sink.Block{Host: "h", Tags: []sink.Tag{{Key: "t", Value: strings.Repeat("x", tags)}}}
	return &sink.Run{
		Series: func(yield func(*sink.Series) bool) {
			for i := range n {
				m := &sink.Metric{Name: fmt.Sprint("m.", first+i)}
				if !yield(&sink.Series{Metric: m, Block: block, Value: float64(first + i)}) {
					return
				}
			}
		},
		Checks: func(func(*sink.Check) bool) {},
	}
}

// numbers returns the numbers of the series in lines, sorted and without duplicates.
func numbers(t testing.TB, lines []string) []int {
	t.Helper()
	var all []int
	for _, line := range lines {
		var name, value int
		if _, err := fmt.Sscanf(line, "m.%d:%d|g|#host:h,t:x", &name, &value); err != nil || name != value {
			t.Fatalf("line %.200q: %v", line, err)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// upTo returns the numbers from first to last-1.
func upTo(first, last int) []int {
	all := make([]int, 0, last-first)
	for i := first; i < last; i++ {
		all = append(all, i)
	}
	return all
}
