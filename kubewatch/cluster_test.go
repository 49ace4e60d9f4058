package kubewatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// cluster is a simulated API server and a client of it. They are joined within
// the process and live in a synctest bubble, so that hours of waiting pass at once
// and the test waits for rest instead of asking again and again.
type cluster struct {
	t       *testing.T
	store   *apiserver.Store
	api     *apiserver.Server
	network *network
	client  *Client
	log     *records
}

// inCluster runs a test against a cluster. wrap, unless nil, stands before the
// API server.
func inCluster(t *testing.T, wrap func(http.Handler) http.Handler, test func(*cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
		if err != nil {
			t.Fatal(err)
		}
		c := &cluster{t: t, store: store, api: apiserver.New(store, apiserver.Config{}), log: &records{}}
		var handler http.Handler = c.api
		if wrap != nil {
			handler = wrap(handler)
		}
		c.network = &network{accept: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		go func() { _ = server.Serve(c.network) }()
		transport := &http.Transport{DialContext: c.network.dial}
		c.client = newClient(&url.URL{Scheme: "http", Host: "api"}, &http.Client{Transport: transport, CheckRedirect: refuseRedirect})
		t.Cleanup(func() {
			transport.CloseIdleConnections()
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		})
		test(c)
	})
}

// watch starts watches and returns their group and what stops it. The end of the
// bubble fails the test if a goroutine is left.
func (c *cluster) watch(watches ...Watch) (*Group, context.CancelFunc) {
	c.t.Helper()
	g, err := NewGroup(c.client, watches, slog.New(c.log))
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Run(ctx)
	}()
	stop := func() { cancel(); <-done }
	c.t.Cleanup(stop)
	synctest.Wait()
	return g, stop
}

// watchReplicaSets starts one watch, of ReplicaSets.
func (c *cluster) watchReplicaSets() (*Group, *memory) {
	c.t.Helper()
	m := &memory{}
	g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
	return g, m
}

func (c *cluster) put(names ...string) {
	c.t.Helper()
	for _, name := range names {
		if err := c.store.Put(replicaSet(name)); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *cluster) remove(name string) {
	c.t.Helper()
	if found, err := c.store.Delete("replicasets", "default", name); !found || err != nil {
		c.t.Fatalf("delete %s: found %v, error %v", name, found, err)
	}
}

// wantRequests compares how often each verb was used for ReplicaSets.
func (c *cluster) wantRequests(want map[apiserver.Verb]int) {
	c.t.Helper()
	got := map[apiserver.Verb]int{}
	for _, r := range c.api.Requests() {
		got[r.Verb]++
	}
	if !maps.Equal(got, want) {
		c.t.Errorf("requests %v, want %v", got, want)
	}
}

// wantStatus compares state and reason of the first watch.
func (c *cluster) wantStatus(g *Group, state State, reason string) Status {
	c.t.Helper()
	s := g.Statuses()[0]
	if s.State != state || s.Reason != reason || (s.Error == "") != (reason == "") {
		c.t.Errorf("status %s, reason %q, error %q; want %s, %q", s.State, s.Reason, s.Error, state, reason)
	}
	return s
}

// network accepts the connections of one client. All methods are safe for
// concurrent use.
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

// cut breaks all connections; while down no new one can be made.
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

// memory is a store as naive as can be.
type memory struct {
	onPut func(kind.Object) // called before an object is stored

	mu      sync.Mutex
	objects map[string]kind.Object
	seen    map[string]bool // not nil during a full read
	commits int
}

func (m *memory) Begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = map[string]bool{}
}

func (m *memory) Put(o kind.Object) {
	if m.onPut != nil {
		m.onPut(o)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[string]kind.Object{}
	}
	key := o.GetNamespace() + "/" + o.GetName()
	m.objects[key] = o.DeepCopyObject().(kind.Object) // o is used again
	if m.seen != nil {
		m.seen[key] = true
	}
}

func (m *memory) Delete(namespace, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, namespace+"/"+name)
}

func (m *memory) Commit() {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.objects, func(key string, _ kind.Object) bool { return !m.seen[key] })
	m.seen = nil
	m.commits++
}

// names returns the stored names of namespace default, sorted and joined by blanks.
func (m *memory) names() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for key := range m.objects {
		names = append(names, strings.TrimPrefix(key, "default/"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func (m *memory) want(t *testing.T, names string) {
	t.Helper()
	if got := m.names(); got != names {
		t.Errorf("stored %q, want %q", got, names)
	}
}

// records keeps log messages from level Info on.
type records struct {
	mu    sync.Mutex
	lines []string
}

func (r *records) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (r *records) WithAttrs([]slog.Attr) slog.Handler           { return r }
func (r *records) WithGroup(string) slog.Handler                { return r }
func (r *records) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%s %s", record.Level, record.Message)
	record.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "reason":
			line += " " + a.Value.String()
		case a.Key == "resources":
			line += ": " + a.Value.String()
		case a.Key == "err" && record.Message == "object skipped":
			line += ": " + a.Value.String()
		}
		return true
	})
	r.lines = append(r.lines, line)
	return nil
}

func (r *records) want(t *testing.T, lines ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.lines, lines) {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(r.lines, "\n"), strings.Join(lines, "\n"))
	}
}
