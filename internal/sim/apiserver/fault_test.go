package apiserver_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

func streaming() metav1.ListOptions {
	return metav1.ListOptions{
		SendInitialEvents: new(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true,
	}
}

func TestRefusals(t *testing.T) {
	store := newStore(t, 3, 30)
	server, running := start(t, store, apiserver.Config{})
	list := func(ctx context.Context, c *kubernetes.Clientset) error {
		_, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		return err
	}
	stream := func(ctx context.Context, c *kubernetes.Clientset) error {
		w, err := c.CoreV1().Pods("").Watch(ctx, streaming())
		if err == nil {
			w.Stop()
		}
		return err
	}
	for _, test := range []struct {
		name  string
		fault apiserver.Fault
		ask   func(context.Context, *kubernetes.Clientset) error
		is    func(error) bool
	}{
		{"forbidden", apiserver.Forbidden("pods"), list, apierrors.IsForbidden},
		{"forbidden stream", apiserver.Forbidden("pods"), stream, apierrors.IsForbidden},
		{"missing", apiserver.Missing("pods"), list, apierrors.IsNotFound},
		{"no streaming", apiserver.NoStreaming(), stream, apierrors.IsInvalid},
		{"unavailable", apiserver.Unavailable("", 1), list, apierrors.IsServiceUnavailable},
		{"verb of another", apiserver.Fault{Verb: apiserver.VerbWatch, Effect: apiserver.EffectPageNotFound}, list, isNil},
		{"resource of another", apiserver.Forbidden("nodes"), list, isNil},
		{"skipped", apiserver.Fault{Skip: 1, Effect: apiserver.EffectPageNotFound}, list, isNil},
		{"truncated", apiserver.Fault{Effect: apiserver.EffectTruncate}, list, isCut},
	} {
		for _, format := range formats {
			t.Run(test.name+"/"+format.name, func(t *testing.T) {
				remove := server.Inject(test.fault)
				c := client(t, running.URL, format.accept)
				if err := test.ask(testContext(t), c); !test.is(err) {
					t.Errorf("got %v", err)
				}
				remove()
				if err := test.ask(testContext(t), c); err != nil {
					t.Errorf("after the fault: %v", err)
				}
			})
		}
	}
}

func isNil(err error) bool { return err == nil }

func isCut(err error) bool { return err != nil && strings.Contains(err.Error(), "unexpected EOF") }

func TestFaultTimes(t *testing.T) {
	server, running := start(t, newStore(t, 1, 5), apiserver.Config{})
	server.Inject(apiserver.Fault{Verb: apiserver.VerbList, Resource: "pods", Skip: 1, Times: 2, Effect: apiserver.EffectPageNotFound})
	c := client(t, running.URL, protobuf)
	var outcome []bool
	for range 5 {
		_, err := c.CoreV1().Pods("").List(testContext(t), metav1.ListOptions{})
		outcome = append(outcome, err == nil)
	}
	want := []bool{true, false, false, true, true}
	for i := range want {
		if outcome[i] != want[i] {
			t.Fatalf("requests succeeded %v, want %v", outcome, want)
		}
	}
	codes := []int{}
	for _, r := range server.Requests() {
		codes = append(codes, r.Code)
	}
	if len(codes) != 5 || codes[0] != 200 || codes[1] != 404 {
		t.Errorf("logged codes %v", codes)
	}
}

// TestThrottled checks the header itself; a stock client waits and retries.
func TestThrottled(t *testing.T) {
	server, running := start(t, newStore(t, 1, 5), apiserver.Config{})
	server.Inject(apiserver.Throttled("pods", 1, 7*time.Second))
	code, header := get(t, running.URL+"/api/v1/pods", "application/json")
	if code != http.StatusTooManyRequests || header.Get("Retry-After") != "7" {
		t.Errorf("got %d, Retry-After %q", code, header.Get("Retry-After"))
	}
	server.Inject(apiserver.Throttled("pods", 1, time.Second))
	if _, err := client(t, running.URL, protobuf).CoreV1().Pods("").List(testContext(t), metav1.ListOptions{}); err != nil {
		t.Errorf("stock client: %v", err)
	}
	if n := server.Count(apiserver.VerbList, "pods"); n != 3 {
		t.Errorf("%d lists, want 3: the stock client asks again", n)
	}
}

func TestBrokenWatches(t *testing.T) {
	for _, format := range formats {
		for _, test := range []struct {
			name   string
			fault  apiserver.Fault
			events int // that must arrive before the stream ends
			gone   bool
		}{
			{"gone", apiserver.Gone("pods", 1), 0, true},
			{"gone later", apiserver.Fault{Verb: apiserver.VerbWatch, AfterEvents: 3, Effect: apiserver.EffectErrorEvent, Status: apiserver.Gone("pods", 1).Status}, 3, true},
			{"truncated", apiserver.Fault{Verb: apiserver.VerbWatch, AfterEvents: 2, Effect: apiserver.EffectTruncate}, 2, false},
			{"garbage", apiserver.Fault{Verb: apiserver.VerbWatch, AfterEvents: 1, Effect: apiserver.EffectGarbage}, 1, false},
			{"ended", apiserver.Fault{Verb: apiserver.VerbWatch, AfterEvents: 4, Effect: apiserver.EffectEnd}, 4, false},
			{"slow", apiserver.Fault{Delay: time.Millisecond, AfterEvents: 5, Effect: apiserver.EffectTruncate}, 5, false},
		} {
			t.Run(test.name+"/"+format.name, func(t *testing.T) {
				server, running := start(t, newStore(t, 1, 10), apiserver.Config{})
				server.Inject(test.fault)
				// Without a version the watch begins with all ten pods.
				w, err := client(t, running.URL, format.accept).CoreV1().Pods("").Watch(testContext(t), metav1.ListOptions{})
				if err != nil {
					t.Fatal(err)
				}
				defer w.Stop()
				added, gone := 0, false
				for e := range w.ResultChan() {
					switch e.Type {
					case watch.Added:
						added++
					case watch.Error:
						gone = apierrors.IsResourceExpired(apierrors.FromObject(e.Object))
					}
				}
				if added != test.events || gone != test.gone {
					t.Errorf("%d events, gone %v; want %d, %v", added, gone, test.events, test.gone)
				}
			})
		}
	}
}

func TestCutWatches(t *testing.T) {
	server, running := start(t, newStore(t, 1, 10), apiserver.Config{})
	ctx, c := testContext(t), client(t, running.URL, protobuf)
	pods, err := c.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{ResourceVersion: "99999"})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := c.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{ResourceVersion: "99999"})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.AwaitWatches(ctx, "", 2); err != nil {
		t.Fatal(err)
	}
	if n := server.CutWatches("pods"); n != 1 {
		t.Errorf("cut %d watches, want 1", n)
	}
	if e, open := <-pods.ResultChan(); open {
		t.Errorf("got %v from a watch that was cut", e)
	}
	if err := server.AwaitWatches(ctx, "", 1); err != nil {
		t.Fatal(err)
	}
	nodes.Stop()
	if err := server.AwaitWatches(ctx, "", 0); err != nil {
		t.Fatal(err)
	}
}

// blockedClient accepts nothing until it is released.
type blockedClient struct {
	header  http.Header
	release chan struct{}
	blocked chan struct{}
	written int
}

func (c *blockedClient) Header() http.Header { return c.header }
func (c *blockedClient) WriteHeader(int)     {}
func (c *blockedClient) Flush()              {}

func (c *blockedClient) Write(b []byte) (int, error) {
	if c.written == 0 {
		close(c.blocked)
	}
	c.written += len(b)
	<-c.release
	return len(b), nil
}

// TestSlowWatcher lets a client fall behind by more than the log holds: no
// writer waits for it, and its watch ends.
func TestSlowWatcher(t *testing.T) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources(), LogSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	put(t, store, bare("default", "first"))
	server := apiserver.New(store, apiserver.Config{})
	slow := &blockedClient{header: http.Header{}, release: make(chan struct{}), blocked: make(chan struct{})}
	request, err := http.NewRequestWithContext(testContext(t), http.MethodGet, "/api/v1/pods?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.ServeHTTP(slow, request)
	}()
	<-slow.blocked
	for range 30 {
		put(t, store, bare("default", "busy"))
	}
	close(slow.release)
	<-done
	if err := request.Context().Err(); err != nil {
		t.Errorf("the watch went on until %v", err)
	}
}

// get makes a plain request.
func get(t testing.TB, url, accept string) (int, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(testContext(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	transport, err := rest.TransportFor(&rest.Config{Host: url})
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header
}
