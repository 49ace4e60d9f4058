package lease

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kubewatch"
)

// cluster is a simulated API server in a synctest bubble, joined to its clients within
// the process.
type cluster struct {
	t       *testing.T
	store   *apiserver.Store
	api     *apiserver.Server
	network *network
	log     *buffer
}

// inCluster runs a test against a cluster. wrap, unless nil, stands before the API server.
func inCluster(t *testing.T, wrap func(http.Handler) http.Handler, test func(*cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
		if err != nil {
			t.Fatal(err)
		}
		c := &cluster{t: t, store: store, api: apiserver.New(store, apiserver.Config{}), log: &buffer{}}
		var handler http.Handler = c.api
		if wrap != nil {
			handler = wrap(handler)
		}
		c.network = &network{accept: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		go func() { _ = server.Serve(c.network) }()
		t.Cleanup(func() { _ = server.Close() })
		test(c)
	})
}

// elector starts an Elector named identity, and returns it and what ends it.
func (c *cluster) elector(identity string) (*Elector, func()) {
	c.t.Helper()
	client, err := kubewatch.NewClient(&rest.Config{Host: "http://api", Dial: c.network.dial, BearerToken: identity})
	if err != nil {
		c.t.Fatal(err)
	}
	e, err := New(Config{
		Client: client, Namespace: "monitoring", Name: "agent", Identity: identity,
		Logger: slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{ReplaceAttr: fixed})),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	stop := func() { cancel(); running.Wait() }
	c.t.Cleanup(stop)
	synctest.Wait()
	return e, stop
}

// fixed leaves out what differs from run to run: the time, and how a connection broke.
func fixed(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey:
		return slog.Attr{}
	case "err":
		return slog.String(a.Key, "...")
	}
	return a
}

func (c *cluster) lease() *coordinationv1.Lease {
	c.t.Helper()
	e, found := c.store.Get("leases", "monitoring", "agent")
	if !found {
		c.t.Fatal("there is no Lease")
	}
	o, err := e.Decode()
	if err != nil {
		c.t.Fatal(err)
	}
	return o.(*coordinationv1.Lease)
}

func (c *cluster) wantHolder(want string) {
	c.t.Helper()
	if got := *c.lease().Spec.HolderIdentity; got != want {
		c.t.Errorf("%q holds the Lease, want %q", got, want)
	}
}

func (c *cluster) wantLeading(want bool, e *Elector) {
	c.t.Helper()
	if e.Leading() != want || e.Status().Leading != want {
		c.t.Errorf("leading %t, want %t; status %+v", e.Leading(), want, e.Status())
	}
}

// wantLog compares everything that was logged since the last call.
func (c *cluster) wantLog(want ...string) {
	c.t.Helper()
	if got := c.log.take(); got != strings.Join(append(want, ""), "\n") {
		c.t.Errorf("logged\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// wait lets time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// buffer is a log that is safe for concurrent use.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// network joins clients to a server. Its methods are safe for concurrent use.
type network struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	select {
	case n.accept <- far:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.conns = append(n.conns, far)
		return near, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cut breaks all connections. While down no new one can be made.
func (n *network) cut(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.conns = nil
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.UnixAddr{Name: "api", Net: "pipe"} }
