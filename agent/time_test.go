package agent_test

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// The zero time and NaN are not times: they yield no age, no overdue check and no counter
// start.
func TestNoTime(t *testing.T) {
	value := func(s *corev1.Secret, e *metric.Emitter) {
		v, err := strconv.ParseFloat(s.Annotations["time"], 64)
		if err != nil {
			t.Error(err)
		}
		e.Add(v)
	}
	secrets, err := kind.Extend(kind.Secrets, kind.NewRow(metric.Desc{
		Name: "kube_secret_time", Type: metric.Gauge, Stability: metric.Alpha, Help: "A time.",
	}, value))
	if err != nil {
		t.Fatal(err)
	}
	x := agenttest.New(t, agent.Config{Kinds: []*kind.Table{secrets}, Scheme: &naming.Scheme{Rules: []naming.Rule{
		{Family: "kube_secret_time", Metric: "age", Value: naming.Age},
		{Family: "kube_secret_time", Metric: "check", Check: &naming.Check{Name: "due", Due: true}},
		{Family: "kube_secret_time", Metric: "start", Type: naming.Counter, Start: "kube_secret_time", Value: naming.One},
	}}})
	for _, text := range []string{"-62135596800", "-62135596801", "-Inf", "NaN"} {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s", Annotations: map[string]string{"time": text}}}
		x.Feed("secrets").Put(s)
		expect(t, x, "start 1 namespace: secret:s")
		for series := range x.NewReader().Run(runAt).Series {
			if series.Start != 0 {
				t.Errorf("%s: counter starts at %d", text, series.Start)
			}
		}
	}
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s", Annotations: map[string]string{"time": "-62135596799"}}}
	x.Feed("secrets").Put(s)
	expect(t, x,
		"age "+strconv.FormatFloat(float64(runAt.Unix()+62135596799), 'g', -1, 64)+" namespace: secret:s",
		"check -6.2135596799e+10 namespace: secret:s",
		`check due critical "late by 63902951999 seconds" namespace: secret:s`,
		"start 1 namespace: secret:s",
	)
}

// A CronJob whose schedule is never due has no next time, and null times have no age.
func TestNullTimesYieldNoSeries(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
	x.Put(objects(t,
		`{apiVersion: batch/v1, kind: CronJob, metadata: {name: never, namespace: ops, uid: u, creationTimestamp: "2026-01-01T00:00:00Z"}, spec: {schedule: "0 0 31 2 *", suspend: false}}`,
		`{apiVersion: batch/v1, kind: CronJob, metadata: {name: nulls, namespace: ops, uid: v, creationTimestamp: null}, spec: {schedule: "0 0 1 1 *"}, status: {lastScheduleTime: null}}`,
		`{apiVersion: batch/v1, kind: Job, metadata: {name: job, namespace: ops, creationTimestamp: null}, status: {startTime: null, completionTime: null}}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ops, creationTimestamp: null, deletionTimestamp: null}, status: {startTime: null, reason: Evicted}}`,
		`{apiVersion: v1, kind: Node, metadata: {name: n, creationTimestamp: null}}`,
	)...)
	for s := range x.NewReader().Run(runAt).Series {
		if s.Value > 1e9 || s.Value < 0 {
			t.Errorf("%s is %v", s.Metric.Name, s.Value)
		}
	}
	for c := range x.NewReader().Run(runAt).Checks {
		t.Errorf("check %s: %s", c.Name, c.Message)
	}
}
