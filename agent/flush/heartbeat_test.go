package flush_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/agent/flush"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// With a heartbeat, flushes in between send only changes.
func TestSenderHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, r := configMaps(t), newRecorder()
		put := func(name, version string) { x.Put(configMap(t, name, version)) }
		put("a", "1")
		put("b", "1")
		time.AfterFunc(12*time.Second, func() { put("b", "2") })
		time.AfterFunc(13*time.Second, func() { put("c", "1") })
		time.AfterFunc(22*time.Second, func() { x.Feed("configmaps").Delete("ns", "a") })
		s := newSender(t, flush.Config{Agent: x.Agent, Outputs: []flush.Output{{Sink: r, Interval: 10 * time.Second, Heartbeat: 40 * time.Second}}})
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

// configMap returns a ConfigMap whose series has a value.
func configMap(t *testing.T, name, value string) kind.Object {
	return agenttest.Objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: `+name+`, namespace: ns, resourceVersion: "`+value+`"}}`)[0]
}

// After a loss, the next flush is full, but not if payloads only wait in the sink's buffer.
func TestSenderHeartbeatAfterLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, r := configMaps(t), newRecorder()
		x.Put(configMap(t, "a", "1"))
		at := func(seconds int, f func()) { time.AfterFunc(time.Duration(seconds)*time.Second, f) }
		at(5, func() { r.fail(errors.New("1 payloads wait"), 0) })
		at(25, func() { x.Put(configMap(t, "a", "2")); r.fail(errors.New("refused"), 1) })
		at(35, func() { r.fail(nil, 0) })
		s := newSender(t, flush.Config{Agent: x.Agent, Outputs: []flush.Output{{Sink: r, Interval: 10 * time.Second, Heartbeat: time.Hour}}})
		ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
		defer cancel()
		s.Run(ctx)
		a1, a2 := "m 1 configmap:a namespace:ns", "m 2 configmap:a namespace:ns"
		if want := [][]string{{a1}, nil, nil, {a2}, {a2}, nil}; sprint(r.series) != sprint(want) {
			t.Errorf("sent %s, want %s", sprint(r.series), sprint(want))
		}
	})
}

// picky is a sink that loses something of each full flush.
type picky struct {
	*recorder
	whole []time.Duration // when there were such runs
}

func (p *picky) Send(ctx context.Context, run *sink.Run) error {
	p.fail(nil, 0)
	if !run.Changes {
		p.whole = append(p.whole, time.Since(p.start))
		p.fail(errors.New("1 is NaN"), 1)
	}
	return p.recorder.Send(ctx, run)
}

// Series lost in every full flush are tried once more and then left to the heartbeat,
// unless payloads wait in the buffer: then the receiver is down, and gets a full flush when
// it is back.
func TestSenderHeartbeatAfterRepeatedLoss(t *testing.T) {
	for buffered, want := range map[uint64][]time.Duration{0: seconds(0, 10, 70, 80), 1: seconds(0, 10, 20, 30, 40, 50, 60, 70, 80)} {
		synctest.Test(t, func(t *testing.T) {
			x, r := configMaps(t), &picky{recorder: newRecorder()}
			r.stats.Buffered = buffered
			x.Put(configMap(t, "a", "1"))
			s := newSender(t, flush.Config{Agent: x.Agent, Outputs: []flush.Output{{Sink: r, Interval: 10 * time.Second, Heartbeat: time.Minute}}})
			ctx, cancel := context.WithTimeout(t.Context(), 85*time.Second)
			defer cancel()
			s.Run(ctx)
			if !slices.Equal(r.whole, want) {
				t.Errorf("full flushes at %v with %d payloads buffered, want %v", r.whole, buffered, want)
			}
		})
	}
}

// A flush that is some milliseconds early does not postpone the heartbeat.
func TestSenderHeartbeatDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, r := configMaps(t), newRecorder()
		x.Put(configMap(t, "a", "1"))
		s := newSender(t, flush.Config{
			Agent: x.Agent, Outputs: []flush.Output{{Sink: r, Interval: 10 * time.Second, Heartbeat: 20 * time.Second}},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		defer cancel()
		s.Run(ctx)
		a := "m 1 configmap:a namespace:ns"
		if want := [][]string{{a}, nil, {a}, nil, {a}}; sprint(r.series) != sprint(want) {
			t.Errorf("sent %s, want %s", sprint(r.series), sprint(want))
		}
	})
}
