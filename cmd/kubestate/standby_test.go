package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// standbys are two exporters that elect a leader, in a synctest bubble.
type standbys struct {
	t       *testing.T
	metrics [2]http.Handler
	end     [2]func()      // ends one of them gracefully
	cut     [2]atomic.Bool // from the API server
}

// newStandbys starts two exporters that both have read a pod.
func newStandbys(t *testing.T) *standbys {
	t.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: simulated()})
	if err != nil {
		t.Fatal(err)
	}
	s := &standbys{t: t}
	api := apiserver.New(store, apiserver.Config{})
	for i := range s.metrics {
		network := make(pipes)
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.cut[i].Load() {
				http.Error(w, "no", http.StatusServiceUnavailable)
				return
			}
			api.ServeHTTP(w, r)
		})}
		go func() { _ = server.Serve(network) }()
		t.Cleanup(func() { _ = server.Close() })
		client, err := kubewatch.NewClient(&rest.Config{Host: "http://api", Dial: network.dial})
		if err != nil {
			t.Fatal(err)
		}
		s.start(i, client)
	}
	return s
}

func (s *standbys) start(i int, client *kubewatch.Client) {
	s.t.Helper()
	x, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.Pods}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	feed, err := x.NewFeed(kind.Pods.Resource)
	if err != nil {
		s.t.Fatal(err)
	}
	feed.Begin()
	feed.Put(pod("a", "n1"))
	feed.Commit()
	elector, err := newElector(client, agentconf.LeaderElection{Enabled: true, Namespace: "monitoring", Name: "kubestate"}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.metrics[i], err = whileLeading(elector, x); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	ready := func(context.Context) error { return nil }
	running.Go(func() { campaign(ctx, elector, ready, func(ctx context.Context) { <-ctx.Done() }) })
	s.end[i] = func() { cancel(); running.Wait() }
	s.t.Cleanup(s.end[i])
}

// scrape returns which of the two shows series; -1: none. It fails if both do.
func (s *standbys) scrape() int {
	s.t.Helper()
	shows := -1
	for i, h := range s.metrics {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "/metrics", http.NoBody))
		body := w.Body.String()
		switch {
		case w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8":
			s.t.Fatalf("replica %d answers %d %v", i, w.Code, w.Header())
		case body == "":
		case !strings.Contains(body, `kube_pod_info{namespace="shop",pod="a"`):
			s.t.Fatalf("replica %d answers %.200q", i, body)
		case shows >= 0:
			s.t.Fatal("both show series")
		default:
			shows = i
		}
	}
	return shows
}

// await scrapes every 100 ms until a replica shows series, and returns how long that took.
func (s *standbys) await(replica int) time.Duration {
	s.t.Helper()
	begun := time.Now()
	for s.scrape() != replica {
		if time.Since(begun) > time.Minute {
			s.t.Fatalf("replica %d shows no series", replica)
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
	}
	return time.Since(begun)
}

// Of two replicas only the leader shows series. When it vanishes, they are back within
// 20 seconds; when it ends gracefully, within one scrape. No scrape sees them twice.
func TestStandby(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(s *standbys, leader int)
		limit time.Duration
	}{
		{"vanishes", func(s *standbys, leader int) { s.cut[leader].Store(true) }, 20 * time.Second},
		{"ends", func(s *standbys, leader int) { s.end[leader]() }, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStandbys(t)
				time.Sleep(time.Minute)
				synctest.Wait()
				leader := s.scrape()
				if leader < 0 {
					t.Fatal("no replica shows series")
				}
				c.leave(s, leader)
				if took := s.await(1 - leader); took > c.limit {
					t.Errorf("the series are back after %s", took)
				}
				for range 600 { // a minute: the first one does not come back
					if s.scrape() == leader {
						t.Fatal("the first shows series again")
					}
					time.Sleep(100 * time.Millisecond)
				}
			})
		})
	}
}

// The program with --leader-election: both replicas are ready, one has series, and the
// telemetry port says which.
func TestStandbyProgram(t *testing.T) {
	_, _, api := newAPIServer(t, pod("a", "n1"))
	start := func() *program {
		return startReading(t, api, "--leader-election", "--leader-election-namespace", "monitoring")
	}
	first := start()
	first.awaitLine("/metrics", "kubestate_leader 1")
	second := start()
	second.awaitLine("/readyz", "OK")
	second.log.await(t, regexp.MustCompile(`msg=synced`))
	second.awaitLine("/metrics", "kubestate_leader 0")
	scrape := func(p *program) string { return fetch(t, "http://"+p.address("metrics")+"/metrics") }
	if body := scrape(first); !strings.Contains(body, "kube_pod_info{") {
		t.Errorf("the leader answers %.100q", body)
	}
	if body := scrape(second); body != "" {
		t.Errorf("the standby answers %.100q", body)
	}
	if code := first.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	second.awaitLine("/metrics", "kubestate_leader 1")
	if body := scrape(second); !strings.Contains(body, "kube_pod_info{") {
		t.Errorf("the new leader answers %.100q", body)
	}
}
