package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// lines counts what is written.
type lines struct{ n atomic.Int64 }

func (l *lines) Write(p []byte) (int, error) {
	l.n.Add(1)
	return len(p), nil
}

// pipes is a network within the process, so that it can be in a synctest bubble.
type pipes chan net.Conn

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p <- far
	return near, nil
}

func (p pipes) Accept() (net.Conn, error) {
	if c, open := <-p; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "api", Net: "pipe"} }

// replica is a pusher of a Pod in an election, whose runs are an hour apart.
type replica struct {
	*pusher
	sent lines
	read chan struct{} // closed when it has read everything
	end  func()
}

func startReplica(t *testing.T, client *kubewatch.Client, name string) *replica {
	t.Helper()
	r := &replica{read: make(chan struct{})}
	section := agentconf.Agent{Interval: time.Hour}
	sink, err := agentconf.ParseSink("stdout")
	if err != nil {
		t.Fatal(err)
	}
	section.Sinks = []agentconf.Sink{sink}
	s := section.Settings()
	s.Agent.Scheme = &naming.Scheme{Name: "x", Rules: []naming.Rule{{Family: "kube_pod_info", Metric: "m"}}}
	if s.Outputs, _, err = section.Outputs(); err != nil {
		t.Fatal(err)
	}
	elector, err := newElector(client, agentconf.LeaderElection{Enabled: true, Namespace: "monitoring", Name: "kubestate-agent", Identity: name}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if r.pusher, err = newPusher(s, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	feed, err := r.agent.NewFeed(kind.Pods.Name)
	if err != nil {
		t.Fatal(err)
	}
	feed.Begin()
	feed.Put(pod("a", "n1"))
	feed.Commit()
	ready := func(ctx context.Context) error {
		select {
		case <-r.read:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := r.connect(elector, &r.sent, ready); err != nil {
		t.Fatal(err)
	}
	r.identify(t.Context(), client)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { campaign(ctx, elector, r.ready, r.run) })
	r.end = func() { cancel(); running.Wait() }
	t.Cleanup(r.end)
	return r
}

// A replica that has not read everything leaves the Lease to others. The one that
// gets it sends at once, be it due or not.
func TestElectionOfReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: simulated()})
		if err != nil {
			t.Fatal(err)
		}
		network := make(pipes)
		server := &http.Server{Handler: apiserver.New(store, apiserver.Config{}), ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(network) }()
		client, err := kubewatch.NewClient(&rest.Config{Host: "http://api", Dial: network.dial})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		wait := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		first, second := startReplica(t, client, "first"), startReplica(t, client, "second")
		wait(time.Minute)
		if _, found := store.Get("leases", "monitoring", "kubestate-agent"); found {
			t.Error("somebody who has read nothing has the Lease")
		}
		close(second.read)
		wait(time.Second)
		close(first.read)
		wait(time.Minute)
		if first.sent.n.Load() != 0 || second.sent.n.Load() == 0 || leaseHolder(t, store) != "second" {
			t.Errorf("%d and %d lines are sent", first.sent.n.Load(), second.sent.n.Load())
		}
		second.end()
		wait(5 * time.Second) // up to twice the retry period, and what reading takes
		if first.sent.n.Load() == 0 || leaseHolder(t, store) != "first" {
			t.Error("nobody follows who has ended")
		}
	})
}
