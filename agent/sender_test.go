package agent_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/sink"
)

// recorder is a sink that notes when it is sent what.
type recorder struct {
	takes time.Duration // how long sending takes; less than 0: until ctx ends
	deaf  bool          // ctx does not matter to it
	err   error

	mu     sync.Mutex
	start  time.Time
	at     []time.Duration
	series [][]string
	ended  [][]string
	closed int
}

func newRecorder() *recorder { return &recorder{start: time.Now()} }

func (r *recorder) Send(ctx context.Context, run *sink.Run) error {
	r.mu.Lock()
	r.at = append(r.at, time.Since(r.start))
	r.series = append(r.series, agenttest.Series(run.Series))
	r.ended = append(r.ended, agenttest.Series(run.Ended))
	err := r.err
	r.mu.Unlock()
	switch {
	case r.deaf:
		time.Sleep(r.takes)
	case r.takes != 0:
		t := time.NewTimer(r.takes)
		defer t.Stop()
		if r.takes < 0 {
			t.Stop()
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (r *recorder) Stats() sink.Stats { return sink.Stats{Payloads: uint64(len(r.times()))} }

func (r *recorder) Close(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	return nil
}

func (r *recorder) times() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.at)
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func seconds(n ...int) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func configMaps(t *testing.T) *agenttest.Cluster {
	return agenttest.New(t, agent.Config{Names: &agent.Names{Rules: []agent.Rule{{Family: "kube_configmap_metadata_resource_version", Metric: "m"}}}})
}

func newSender(t *testing.T, c agent.SenderConfig) *agent.Sender {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := agent.NewSender(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Sinks are served at their own pace, at fixed times; one that is slow skips runs
// and holds up no other, nor does one that is dead.
func TestSenderPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast, slow, dead := newRecorder(), newRecorder(), newRecorder()
		slow.takes, slow.deaf, dead.takes = 25*time.Second, true, -1
		s := newSender(t, agent.SenderConfig{Agent: configMaps(t).Agent, Receivers: []agent.Receiver{
			{Name: "fast", Sink: fast, Interval: 5 * time.Second}, {Name: "slow", Sink: slow, Interval: 10 * time.Second}, {Name: "dead", Sink: dead},
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second)
		defer cancel()
		s.Run(ctx)
		for _, c := range []struct {
			name string
			got  *recorder
			want []time.Duration
		}{
			{"fast", fast, seconds(0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60)},
			{"slow", slow, seconds(0, 30, 60)},
			{"dead", dead, seconds(0, 15, 30, 45, 60)}, // its deadline is the next run
		} {
			if !slices.Equal(c.got.times(), c.want) {
				t.Errorf("%s is sent to at %v, want %v", c.name, c.got.times(), c.want)
			}
		}
		stats := s.Stats()
		if x := stats[1]; x.Name != "slow" || x.Skipped != 4 || x.Runs != 2 && x.Runs != 3 {
			t.Errorf("slow: %+v, want 4 skipped", x)
		}
		if x := stats[2]; x.Failed != 5 || x.Runs != 5 || !x.LastSent.IsZero() {
			t.Errorf("dead: %+v, want 5 failed", x)
		}
		if x := stats[0]; x.Runs != 13 || x.Failed != 0 || x.Sink.Payloads != 13 {
			t.Errorf("fast: %+v, want 13 runs", x)
		}
		if fast.closed != 1 || dead.closed != 1 {
			t.Errorf("closed %d and %d times, want once", fast.closed, dead.closed)
		}
		synctest.Wait()
		time.Sleep(time.Minute) // lets what is left behind end
	})
}

// Nothing is sent before there is enough, nor by an instance that is not the one
// to send; what ends meanwhile is another's to tell.
func TestSenderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, r, start := configMaps(t), newRecorder(), time.Now()
		x.Put(objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns, resourceVersion: "1"}}`,
			`{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ns, resourceVersion: "1"}}`)...)
		between := func(from, to int) bool {
			at := time.Since(start)
			return at >= time.Duration(from)*time.Second && at < time.Duration(to)*time.Second
		}
		s := newSender(t, agent.SenderConfig{
			Agent: x.Agent, Receivers: []agent.Receiver{{Sink: r, Interval: 10 * time.Second}},
			Ready:  func() bool { return !between(0, 5) },
			Active: func() bool { return !between(20, 40) },
		})
		time.AfterFunc(26*time.Second, func() { x.Feed("configmaps").Delete("ns", "a") })
		time.AfterFunc(46*time.Second, func() { x.Feed("configmaps").Delete("ns", "b") })
		ctx, cancel := context.WithTimeout(t.Context(), 58*time.Second)
		defer cancel()
		s.Run(ctx)
		if want := seconds(5, 15, 45, 55); !slices.Equal(r.times(), want) {
			t.Errorf("sent at %v, want %v", r.times(), want)
		}
		if want := "[[] [] [] [m 1 configmap:b namespace:ns]]"; strings.Join(strings.Fields(sprint(r.ended)), " ") != want {
			t.Errorf("ended %v, want %s", r.ended, want)
		}
	})
}

func sprint(lists [][]string) string {
	var parts []string
	for _, l := range lists {
		parts = append(parts, "["+strings.Join(l, ", ")+"]")
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// With a heartbeat only what changed is sent in between.
func TestSenderHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, r := configMaps(t), newRecorder()
		put := func(name, version string) {
			x.Put(objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: `+name+`, namespace: ns, resourceVersion: "`+version+`"}}`)...)
		}
		put("a", "1")
		put("b", "1")
		time.AfterFunc(12*time.Second, func() { put("b", "2") })
		time.AfterFunc(13*time.Second, func() { put("c", "1") })
		time.AfterFunc(22*time.Second, func() { x.Feed("configmaps").Delete("ns", "a") })
		s := newSender(t, agent.SenderConfig{Agent: x.Agent, Receivers: []agent.Receiver{{Sink: r, Interval: 10 * time.Second, Heartbeat: 40 * time.Second}}})
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		defer cancel()
		s.Run(ctx)
		a, b1, b2, c := "m 1 configmap:a namespace:ns", "m 1 configmap:b namespace:ns", "m 2 configmap:b namespace:ns", "m 1 configmap:c namespace:ns"
		want := [][]string{{a, b1}, nil, {c, b2}, nil, {c, b2}}
		if sprint(r.series) != sprint(want) {
			t.Errorf("sent %s, want %s", sprint(r.series), sprint(want))
		}
		if want := [][]string{nil, nil, nil, {a}, nil}; sprint(r.ended) != sprint(want) {
			t.Errorf("ended %s, want %s", sprint(r.ended), sprint(want))
		}
	})
}

// What fails is logged once while it stays the same, and so is its end.
func TestSenderLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		r := newRecorder()
		r.err = errors.New("refused")
		s := newSender(t, agent.SenderConfig{
			Agent: configMaps(t).Agent, Receivers: []agent.Receiver{{Name: "x", Sink: r, Interval: time.Second}},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		time.AfterFunc(3500*time.Millisecond, func() { r.fail(nil) })
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		s.Run(ctx)
		if fails, works := strings.Count(log.String(), "send to x: refused"), strings.Count(log.String(), "works again"); fails != 1 || works != 1 {
			t.Errorf("logged %d failures and %d ends of it, want one of each:\n%s", fails, works, &log)
		}
	})
}

func TestSenderOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := newRecorder(), newRecorder()
		bad.err = errors.New("refused")
		s := newSender(t, agent.SenderConfig{Agent: configMaps(t).Agent, Receivers: []agent.Receiver{{Name: "good", Sink: good}, {Name: "bad", Sink: bad}}})
		if err := s.Once(t.Context()); err == nil || err.Error() != "send to bad: refused" {
			t.Errorf("error %v", err)
		}
		if len(good.at) != 1 || len(bad.at) != 1 || good.closed != 1 || bad.closed != 1 {
			t.Errorf("sent %d and %d runs, closed %d and %d times; want one of each", len(good.at), len(bad.at), good.closed, bad.closed)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		s := newSender(t, agent.SenderConfig{Agent: configMaps(t).Agent, Receivers: []agent.Receiver{{Sink: r}}, Ready: func() bool { return false }})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Once(ctx); !errors.Is(err, context.DeadlineExceeded) || len(r.at) != 0 {
			t.Errorf("error %v and %d runs of what is never ready", err, len(r.at))
		}
	})
}

func TestSenderErrors(t *testing.T) {
	r := newRecorder()
	_, err := agent.NewSender(agent.SenderConfig{Receivers: []agent.Receiver{{Name: "a"}, {Name: "b", Sink: r, Interval: -1}, {Name: "b", Sink: r}}})
	for _, want := range []string{"has no agent", `receiver "a": has no sink`, `receiver "b": interval -1ns`, `receiver "b": there are two`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}
