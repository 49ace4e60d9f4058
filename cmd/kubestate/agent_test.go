package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/sim"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// patience bounds waiting for what should happen soon, on a machine that is busy.
const patience = time.Minute

// program is this program, running within the test.
type program struct {
	t      *testing.T
	log    *logBuffer
	cancel context.CancelFunc
	code   chan int
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &program{t: t, log: &logBuffer{changed: make(chan struct{})}, cancel: cancel, code: make(chan int, 1)}
	go func() { p.code <- run(ctx, args, nil, io.Discard, p.log) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Logf("log of %s:\n%s", strings.Join(args, " "), p.log.text())
		}
	})
	return p
}

// end ends the program as SIGTERM does, and returns its exit code.
func (p *program) end() int {
	p.t.Helper()
	p.cancel()
	select {
	case code := <-p.code:
		p.code <- code
		return code
	case <-time.After(patience):
		p.t.Fatal("the program does not end")
		return 0
	}
}

// address returns where it listens, by a key of its log.
func (p *program) address(key string) string {
	p.t.Helper()
	return p.log.await(p.t, regexp.MustCompile(`msg=listening .*\b`+key+`=(\S+)`))
}

// scrape asks for a path of the telemetry port until a line is among the answer.
func (p *program) awaitLine(path, line string) {
	p.t.Helper()
	url := "http://" + p.address("telemetry") + path
	deadline := time.Now().Add(patience)
	for {
		body := fetch(p.t, url)
		if strings.Contains("\n"+body+"\n", "\n"+line+"\n") {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s has no line %q:\n%s", url, line, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// logBuffer is a log that a test waits for.
type logBuffer struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed at the next write
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.buf.Write(b)
}

func (l *logBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// await waits for a match and returns its first group.
func (l *logBuffer) await(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	late := time.After(patience)
	for {
		l.mu.Lock()
		match, changed := pattern.FindStringSubmatch(l.buf.String()), l.changed
		l.mu.Unlock()
		if match != nil {
			return match[min(1, len(match)-1)]
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("the log has no %s", pattern)
		}
	}
}

// newAPIServer starts an API server with objects.
func newAPIServer(t *testing.T, objects ...sim.Object) (*sim.Store, *sim.Server, string) {
	t.Helper()
	store, err := sim.NewStore(sim.StoreConfig{Resources: simulated()})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if err := store.Put(o); err != nil {
			t.Fatal(err)
		}
	}
	server := sim.NewServer(store, sim.ServerConfig{})
	running, err := sim.Start(server, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	return store, server, running.URL
}

func pod(name, node string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "c"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
}

// receiver is a UDP socket that DogStatsD lines are sent to.
func receiver(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// receive waits for a datagram.
func receive(t *testing.T, c *net.UDPConn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// Of two agents with one Lease only the leader sends. The other watches, and sends
// when the leader has ended.
func TestOnlyTheLeaderSends(t *testing.T) {
	store, _, api := newAPIServer(t, pod("a", "n1"))
	replica := func(name string) (*program, *net.UDPConn) {
		to := receiver(t)
		config := filepath.Join(t.TempDir(), "agent.yaml")
		text := fmt.Sprintf(`agent:
  interval: 1s
  leaderElection: {enabled: true, namespace: monitoring, identity: %s, leaseDuration: 30s, retryPeriod: 200ms}
  sinks: [{type: dogstatsd, address: "udp://%s"}]
`, name, to.LocalAddr())
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return startProgram(t, "agent", "--config", config, "--apiserver", api, "--resources", "pods",
			"--telemetry-host", "127.0.0.1", "--telemetry-port", "0"), to
	}
	first, toFirst := replica("first")
	if got := receive(t, toFirst); !strings.Contains(got, "kube_pod_") {
		t.Errorf("received %q", got)
	}
	second, toSecond := replica("second")
	second.awaitLine("/readyz", "OK") // it watches
	for range 3 {
		receive(t, toFirst)
	}
	second.awaitLine("/metrics", "kubestate_agent_leader 0")
	second.awaitLine("/metrics", `kubestate_agent_runs_total{result="success",sink="dogstatsd"} 0`)
	first.awaitLine("/metrics", "kubestate_agent_leader 1")
	if code := first.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	receive(t, toSecond)
	second.awaitLine("/metrics", "kubestate_agent_leader 1")
	second.awaitLine("/metrics", "kubestate_agent_elections_total 1")
	if got := leaseHolder(t, store); got != "second" {
		t.Errorf("the Lease is that of %q", got)
	}
	if code := second.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := leaseHolder(t, store); got != "" {
		t.Errorf("the Lease is still that of %q", got)
	}
}

func leaseHolder(t *testing.T, store *sim.Store) string {
	t.Helper()
	e, found := store.Get("leases", "monitoring", "kubestate-agent")
	if !found {
		t.Fatal("there is no Lease")
	}
	o, err := e.Decode()
	if err != nil {
		t.Fatal(err)
	}
	return *o.(*coordinationv1.Lease).Spec.HolderIdentity
}

// With --once a kind that is refused for a moment is sent, and one that stays refused
// is left out with a warning.
func TestAgentOnceRefused(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "un"}, Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KernelVersion: "6"}}}
	for _, c := range []struct {
		times int
		sent  bool
	}{{1, true}, {0, false}} {
		_, server, api := newAPIServer(t, pod("a", "n1"), node)
		fault := sim.Forbidden("nodes")
		fault.Times = c.times
		server.Inject(fault)
		config := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(config, []byte("agent: {resources: [pods, nodes]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var sent, log bytes.Buffer
		code := run(t.Context(), []string{"agent", "--config", config, "--sink", "stdout", "--once", "--apiserver", api}, nil, &sent, &log)
		if code != 0 || !strings.Contains(sent.String(), "kube_pod_info") {
			t.Errorf("exit code %d, sent:\n%s", code, &sent)
		}
		if got := strings.Contains(sent.String(), "kube_node_info"); got != c.sent {
			t.Errorf("refused %d times: Nodes are sent: %v", c.times, got)
		}
		if warned := strings.Contains(log.String(), `msg="what the API server refuses was left out" resources=nodes`); warned == c.sent {
			t.Errorf("refused %d times, the log says:\n%s", c.times, &log)
		}
	}
}

// Exporter and agent in one process read each kind once, and each gets what it
// would get alone, although they want different fields.
func TestExporterAndAgent(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "un"}, Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KernelVersion: "6"}}}
	_, server, api := newAPIServer(t, pod("a", "n1"), node)
	dir := t.TempDir()
	config, lines := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "lines")
	text := "agent:\n  interval: 1m\n  resources: [pods, nodes]\n  sinks: [{type: file, path: " + lines + "}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var alone bytes.Buffer
	if code := run(t.Context(), []string{"agent", "--config", config, "--sink", "stdout", "--once", "--apiserver", api}, nil, &alone, io.Discard); code != 0 || alone.Len() == 0 {
		t.Fatalf("exit code %d", code)
	}
	p := startProgram(t, "--config", config, "--apiserver", api, "--resources", "pods,services", "--metric-allowlist", "^kube_pod_info$|^kube_service_info$",
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0")
	p.awaitLine("/metrics", `kubestate_agent_runs_total{result="success",sink="file"} 1`)
	got, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alone.String(), string(got[:min(len(got), alone.Len())])); diff != "" {
		t.Errorf("the agent alone and beside the exporter (-alone +beside):\n%s", diff)
	}
	body := fetch(t, "http://"+p.address("metrics")+"/metrics")
	if strings.Count(body, "\nkube_pod_info{") != 1 || strings.Contains(body, "kube_pod_status_phase") || strings.Contains(body, "kube_node") {
		t.Errorf("/metrics is\n%s", body)
	}
	for _, resource := range []string{"pods", "nodes", "services"} {
		if err := server.AwaitWatches(t.Context(), resource, 1); err != nil {
			t.Error(err)
		}
	}
	if n := server.Count(sim.VerbWatchList, "pods"); n != 2 { // of the agent alone, and of both together
		t.Errorf("Pods were read %d times", n)
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// record is a store that notes what it is told.
type record struct{ calls []string }

func (r *record) Begin()                        { r.calls = append(r.calls, "begin") }
func (r *record) Put(o kind.Object)             { r.calls = append(r.calls, "put "+o.GetName()) }
func (r *record) Delete(namespace, name string) { r.calls = append(r.calls, "delete "+name) }
func (r *record) Commit()                       { r.calls = append(r.calls, "commit") }

// Beside an exporter, which wants all Pods, the agent sees those without a Node.
func TestUnassignedPods(t *testing.T) {
	r := &record{}
	u := &unassignedPods{Store: r}
	u.Begin()
	u.Put(pod("a", ""))
	u.Put(pod("b", "n1")) // what a full read does not have is gone at its end
	u.Put(pod("d", ""))
	u.Put(pod("d", "n1")) // it gets a Node meanwhile
	u.Commit()
	u.Put(pod("a", "n1")) // it gets a Node
	u.Put(pod("c", ""))
	u.Delete("shop", "c")
	want := []string{"begin", "put a", "put d", "delete d", "commit", "delete a", "put c", "delete c"}
	if !slices.Equal(r.calls, want) {
		t.Errorf("calls %q", r.calls)
	}
}

// One watch per kind and namespace, whoever wants it, with the fields of all.
func TestWatchesFor(t *testing.T) {
	plan := func(families ...string) []*kind.Table {
		keys := map[string][]string{"pods": {"app"}} // of labels and of annotations, whose maps are fields
		x, err := agent.New(agent.Config{Names: &agent.Names{Name: "x", Rules: rules(families)}, Labels: keys, Annotations: keys})
		if err != nil {
			t.Fatal(err)
		}
		return x.Tables()
	}
	consumerOf := func(unassigned bool, families ...string) consumer {
		return consumer{tables: plan(families...), unassigned: unassigned, feed: func(string) (kubewatch.Store, error) { return &record{}, nil }}
	}
	small, large := consumerOf(false, "kube_pod_annotations", "kube_node_info"), consumerOf(true, "kube_pod_labels", "kube_pod_status_phase")
	scope := conf.Settings{Namespaces: []string{"a", "b"}, FieldSelector: "metadata.namespace!=c"}
	watches, err := watchesFor(scope, small, large)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range watches {
		got = append(got, fmt.Sprintf("%s %q %q %T", w.Table.Name, w.Namespace, w.FieldSelector, w.Store))
	}
	want := []string{
		`nodes "" "" *main.record`, `pods "a" "metadata.namespace!=c" kubewatch.tee`, `pods "b" "metadata.namespace!=c" kubewatch.tee`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	both := kind.Reads(small.table("pods"), large.table("pods"))
	if diff := cmp.Diff(both, watches[1].Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if cmp.Equal(both, kind.Reads(small.table("pods"))) || cmp.Equal(both, kind.Reads(large.table("pods"))) {
		t.Error("one wants all that the other wants, so that this shows nothing")
	}
	watches, err = watchesFor(conf.Settings{FieldSelector: "metadata.namespace!=c"}, large)
	if err != nil || len(watches) != 1 || watches[0].FieldSelector != "metadata.namespace!=c,spec.nodeName=" {
		t.Errorf("alone: %+v, %v", watches, err)
	}
}

func rules(families []string) []agent.Rule {
	var rules []agent.Rule
	for _, f := range families {
		rules = append(rules, agent.Rule{Family: f})
	}
	return rules
}
