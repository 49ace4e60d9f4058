package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
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

// awaitLine asks for a path of the telemetry port until a line is among the answer.
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
	_, body := get(t, url)
	return body
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
func newAPIServer(t *testing.T, objects ...apiserver.Object) (*apiserver.Store, *apiserver.Server, string) {
	t.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: simulated()})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if err := store.Put(o); err != nil {
			t.Fatal(err)
		}
	}
	server := apiserver.New(store, apiserver.Config{})
	running, err := apiserver.Start(server, 0)
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
