package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// A process that runs out of file descriptors cannot accept connections, and looks dead to
// its probes. Each port therefore closes the connection that has been idle longest, and
// keeps some descriptors in reserve: a connection accepted with one of those is answered
// on probe paths alone. The same happens where a port has maxConnections.

const (
	maxConnections = 4096 // per port, not counting those on reserve
	reserved       = 4    // descriptors in reserve per port
	// reserveTimeout is how long a connection may occupy a reserved descriptor.
	reserveTimeout = time.Second
	// minIdle protects a new connection while its request is on the way.
	minIdle        = 50 * time.Millisecond
	minAcceptDelay = 5 * time.Millisecond
	maxAcceptDelay = 200 * time.Millisecond // probes wait a second
)

// listener accepts the connections of one port.
type listener struct {
	net.Listener
	name   string
	logger *slog.Logger
	full   recurrent

	mu      sync.Mutex
	closed  bool
	reserve []*os.File
	open    int                    // connections, not counting those on reserve
	idle    map[net.Conn]time.Time // since when no request is being read or answered
}

func newListener(l net.Listener, name string, logger *slog.Logger) *listener {
	x := &listener{Listener: l, name: name, logger: logger, idle: map[net.Conn]time.Time{}}
	x.refill()
	return x
}

// refill opens what the reserve lacks, as far as that is possible now.
func (l *listener) refill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && len(l.reserve) < reserved {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		l.reserve = append(l.reserve, f)
	}
}

// Accept returns the next connection. It returns an error only once the listener is closed
// or broken: what may pass is logged and retried with a growing delay.
func (l *listener) Accept() (net.Conn, error) {
	for delay := minAcceptDelay; ; delay = min(2*delay, maxAcceptDelay) {
		c, err := l.Listener.Accept()
		if err == nil {
			return l.accepted(c), nil
		}
		if !passing(err) {
			return nil, err
		}
		l.full.log(l.logger, slog.LevelError, "failed to accept connections; closing idle ones and retrying", "port", l.name, "err", err)
		if exhausted(err) {
			l.closeIdle()
			if c := l.acceptOnReserve(); c != nil {
				return c, nil
			}
		}
		time.Sleep(delay)
	}
}

// passing reports whether Accept may work again later.
func passing(err error) bool {
	return exhausted(err) || errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// exhausted reports whether there are no file descriptors left.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// accepted counts a connection. One too many takes the place of an idle one, or is on
// reserve.
func (l *listener) accepted(c net.Conn) net.Conn {
	l.mu.Lock()
	tooMany := l.open >= maxConnections
	l.mu.Unlock()
	if tooMany {
		l.full.log(l.logger, slog.LevelError, "too many connections; closing idle ones", "port", l.name, "limit", maxConnections)
		if !l.closeIdle() {
			return l.onReserve(c)
		}
	}
	l.mu.Lock()
	l.open++
	l.mu.Unlock()
	return &conn{Conn: c, closed: sync.OnceFunc(func() {
		l.mu.Lock()
		l.open--
		l.mu.Unlock()
		l.refill()
	})}
}

// acceptOnReserve accepts a connection with a descriptor of the reserve; nil: there is none.
func (l *listener) acceptOnReserve() net.Conn {
	l.mu.Lock()
	n := len(l.reserve)
	if n == 0 {
		l.mu.Unlock()
		l.refill()
		return nil
	}
	f := l.reserve[n-1]
	l.reserve = l.reserve[:n-1]
	l.mu.Unlock()
	_ = f.Close() // it was opened for reading
	c, err := l.Listener.Accept()
	if err != nil {
		l.refill()
		return nil
	}
	return l.onReserve(c)
}

func (l *listener) onReserve(c net.Conn) net.Conn {
	limit := time.AfterFunc(reserveTimeout, func() { _ = c.Close() })
	return &conn{Conn: c, reserve: true, closed: func() { limit.Stop(); l.refill() }}
}

// closeIdle closes the connection that has been idle longest, for minIdle at least, and
// reports whether there was one.
func (l *listener) closeIdle() bool {
	l.mu.Lock()
	var oldest net.Conn
	for c, since := range l.idle {
		if oldest == nil || since.Before(l.idle[oldest]) {
			oldest = c
		}
	}
	found := oldest != nil && time.Since(l.idle[oldest]) >= minIdle
	if found {
		delete(l.idle, oldest)
	}
	l.mu.Unlock()
	if !found {
		return false
	}
	_ = oldest.Close() // whoever reads from it sees the error
	return true
}

// state follows a connection; see http.Server.ConnState.
func (l *listener) state(c net.Conn, s http.ConnState) {
	c = plain(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == http.StateNew || s == http.StateIdle {
		l.idle[c] = time.Now()
	} else {
		delete(l.idle, c)
	}
}

// Close closes the port and the reserve.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.reserve {
		_ = f.Close()
	}
	l.closed, l.reserve = true, nil
	return err
}

// conn is an accepted connection.
type conn struct {
	net.Conn
	reserve bool
	closed  func() // called at each Close
}

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.closed()
	return err
}

// plain returns the connection below TLS, which is the one that the listener has accepted.
func plain(c net.Conn) net.Conn {
	if secured, ok := c.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return c
}

type reserveKey struct{}

// connContext notes in the context of requests whether their connection is on reserve.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if x, ok := plain(c).(*conn); ok && x.reserve {
		return context.WithValue(ctx, reserveKey{}, true)
	}
	return ctx
}

func onReserve(ctx context.Context) bool { return ctx.Value(reserveKey{}) != nil }
