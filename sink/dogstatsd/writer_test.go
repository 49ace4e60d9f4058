package dogstatsd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// stall listens on a Unix socket without reading. The returned function reads until it
// has n lines.
func stall(t *testing.T, scheme, path string) (read func(n int) []string) {
	t.Helper()
	begin := make(chan struct{})
	r := &receiver{changed: make(chan struct{}, 1), cut: true}
	if scheme == "unix" {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			<-begin
			sinktest.ReadDatagrams(c, r.got)
		}()
	} else {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			<-begin
			r.accept(l)
		}()
	}
	return func(n int) []string {
		close(begin)
		return r.lines(t, n)
	}
}

// fullConn is a socket whose interface has no buffer space for the first datagrams.
type fullConn struct {
	net.Conn
	full int // how many calls fail
	took []string
}

func (c *fullConn) SetWriteDeadline(time.Time) error { return nil }

func (c *fullConn) Write(p []byte) (int, error) {
	if c.full--; c.full >= 0 {
		return 0, &net.OpError{Op: "write", Err: syscall.ENOBUFS}
	}
	c.took = append(c.took, string(p))
	return len(p), nil
}

func TestNoBufferSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fullConn{full: 5}
		if err := writeDatagram(t.Context(), c, []byte("a"), time.Second); err != nil || len(c.took) != 1 {
			t.Errorf("room after 5 attempts: error %v, got %q", err, c.took)
		}
		c = &fullConn{full: 1000}
		start := time.Now()
		err := writeDatagram(t.Context(), c, []byte("a"), time.Second)
		if !errors.Is(err, syscall.ENOBUFS) || !isBusy(err) {
			t.Errorf("no room: error %v", err)
		}
		if took := time.Since(start); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("gave up after %s, want a second", took)
		}
	})
}

// refusedConn reports with the third datagram that nobody received the second.
type refusedConn struct {
	fullConn
}

func (c *refusedConn) Write(p []byte) (int, error) {
	if len(c.took) == 2 {
		return 0, &net.OpError{Op: "write", Err: syscall.ECONNREFUSED}
	}
	return c.fullConn.Write(p)
}

func TestRefusedDatagramIsTheOneBefore(t *testing.T) {
	batch := make([]*packet, 4)
	for i := range batch {
		batch[i] = &packet{buf: make([]byte, headerSize)}
	}
	for network, expected := range map[string]int{"udp": 1, "unixgram": 2} {
		w := writer{address: address{network: network}, conn: &refusedConn{}, timeout: time.Second}
		if sent, err := w.write(t.Context(), batch); sent != expected || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %d sent, want %d; error %v", network, sent, expected, err)
		}
	}
}

// smallConn never has room for datagrams of more than four bytes.
type smallConn struct {
	fullConn
}

func (c *smallConn) Write(p []byte) (int, error) {
	if len(p) > 4 {
		return 0, &net.OpError{Op: "write", Err: syscall.EMSGSIZE}
	}
	return c.fullConn.Write(p)
}

// A datagram that can never be sent is dropped, and the next one is sent.
func TestDatagramTooLarge(t *testing.T) {
	conn := &smallConn{}
	w := writer{
		address: address{network: "unixgram"}, conn: conn, timeout: time.Second, queue: newQueue(8, 64), count: &counters{},
		logger: slog.New(slog.DiscardHandler),
	}
	for _, body := range []string{"a", "large", "b"} {
		p := w.queue.packet()
		p.buf, p.lines = append(p.buf, body...), len(body)
		w.queue.put(t.Context(), p)
	}
	for w.queue.waiting() > 0 {
		batch := w.queue.take(make([]*packet, 0, 3))
		sent, err := w.write(t.Context(), batch)
		w.settle(batch, sent, err)
	}
	if !slices.Equal(conn.took, []string{"a", "b"}) || w.count.dropped.Load() != 5 || w.count.oversize.Load() != 5 || w.conn == nil {
		t.Errorf("receiver got %q, %d lines dropped", conn.took, w.count.dropped.Load())
	}
}

// UDP is known to work only when the next datagram is not rejected, so a receiver that
// stays down is not logged as back in between.
func TestBackIsLoggedOnce(t *testing.T) {
	for network, want := range map[string]int{"udp": 0, "unixgram": 3} {
		var log strings.Builder
		w := writer{
			address: address{network: network}, queue: newQueue(8, 64), count: &counters{}, logger: slog.New(slog.NewTextHandler(&log, nil)),
		}
		settle := func(err error) {
			w.settle([]*packet{{buf: make([]byte, headerSize)}}, map[bool]int{true: 1}[err == nil], err)
		}
		for range 3 {
			settle(syscall.ECONNREFUSED)
			settle(nil)
		}
		if got := strings.Count(log.String(), "is available again"); got != want {
			t.Errorf("%s: %d times back, want %d", network, got, want)
		}
		settle(nil)
		settle(nil)
		if got := strings.Count(log.String(), "is available again"); got != max(want, 1) {
			t.Errorf("%s: %d times back in the end", network, got)
		}
	}
}

// A frame that times out may be sent in part, so it is sent again on another
// connection.
func TestStreamEndsWithPartOfFrame(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	s := newSink(t, Config{Address: "unixstream://" + path, Timeout: 20 * time.Millisecond})
	sendAndFail(t, s, numbered(0, 10_000, 200))
	for range 2 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
}

// After a connection broke within a frame, the next one starts with that frame.
func TestStreamRestartsAtFrame(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newSink(t, Config{Address: "unixstream://" + path})
	const n = 5000
	sent := make(chan error, 1)
	go func() { sent <- s.Send(t.Context(), numbered(0, n, 200)) }()

	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, first, 10_000); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	var packets []string
	framed := make(chan error, 1)
	go func() { framed <- sinktest.ReadFrames(second, func(p string) { packets = append(packets, p) }) }()
	if err := <-sent; err != nil && !strings.Contains(err.Error(), "buffered packets") { // may end while disconnected
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-framed; err != nil {
		t.Fatalf("second connection: malformed frames: %v", err)
	}
	got := numbers(t, split(packets))
	if len(got) == 0 || got[len(got)-1] != n-1 || len(got) != n-got[0] {
		t.Errorf("second connection: %d series, starting with %v", len(got), got[:min(1, len(got))])
	}
	if stats := s.Stats(); stats.Series != n || stats.Retries == 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestBackoff(t *testing.T) {
	for failures := 1; failures < 100; failures++ {
		limit := min(100*time.Millisecond<<min(failures-1, 10), 5*time.Second)
		for range 100 {
			if d := backoff(failures); d < limit/2 || d > limit {
				t.Fatalf("%d failures: %s, want %s to %s", failures, d, limit/2, limit)
			}
		}
	}
}

// After a while, the writer of a named UDP receiver reconnects.
func TestNamesAreResolvedAgain(t *testing.T) {
	r := listen(t, "udp", "")
	a, err := parseAddress(strings.Replace(r.address, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{address: a, timeout: time.Second, queue: newQueue(1, 64)}
	stop, cancel := context.WithCancel(t.Context())
	defer cancel()
	if !w.connect(stop) {
		t.Fatal("not connected")
	}
	defer w.disconnect()
	old := w.conn
	if w.refresh(stop); w.conn != old {
		t.Error("reconnected at once")
	}
	w.connected = w.connected.Add(-2 * resolveEvery)
	if w.refresh(stop); w.conn == old {
		t.Error("not reconnected after a while")
	}
}
