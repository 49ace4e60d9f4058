package datadog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

// stage is a cluster with a clock.
type stage struct {
	*agenttest.Cluster
	t   *testing.T
	now time.Time
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, now: runAt}
	s.Cluster = agenttest.New(t, agent.Config{
		Scheme: datadog.Scheme(), Kinds: kind.All(), Now: func() time.Time { return s.now },
	})
	return s
}

func (s *stage) put(object string) { s.Put(agenttest.Objects(s.t, object)...) }

// wait advances the clock.
func (s *stage) wait(d time.Duration) { s.now = s.now.Add(d) }

// expect compares the age of the rollout in seconds; -1 if there is none.
func (s *stage) expect(want int) {
	s.t.Helper()
	got := -1
	for _, line := range s.Lines(s.now) {
		if name, rest, _ := strings.Cut(line, " "); strings.HasSuffix(name, ".rollout_duration") {
			if _, err := fmt.Sscanf(rest, "%d kube_", &got); err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
		}
	}
	if got != want {
		s.t.Errorf("rollout age %d seconds, want %d", got, want)
	}
}

func deployment(uid, revision string, generation, observed int, reason string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, uid: %s, generation: %d,
 annotations: {deployment.kubernetes.io/revision: "%s"}},
 status: {observedGeneration: %d, conditions: [{type: Progressing, status: "True", reason: %s, lastTransitionTime: "2026-01-02T11:00:00Z"}]}}`,
		uid, generation, revision, observed, reason)
}

func replicaSet(name, owner, created string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: %s, namespace: shop, uid: x, creationTimestamp: "%s",
 ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: %s, controller: true}]}}`, name, created, owner)
}

const (
	updated = "ReplicaSetUpdated"
	done    = "NewReplicaSetAvailable"
)

func TestDeploymentRollout(t *testing.T) {
	s := newStage(t)
	s.put(deployment("d1", "1", 1, 1, done))
	s.expect(-1)
	// Pausing or scaling makes a new generation but not a new revision.
	s.put(deployment("d1", "1", 2, 1, done))
	s.expect(-1)
	s.put(deployment("d1", "1", 2, 2, updated))
	s.expect(-1)
	s.put(deployment("d1", "2", 3, 2, done)) // a new revision that is not yet observed
	s.expect(0)
	s.wait(10 * time.Second)
	s.expect(10)
	s.put(deployment("d1", "2", 3, 3, updated))
	s.expect(10)
	s.put(deployment("d1", "2", 4, 3, done)) // not progressing: what is behind is not a new revision
	s.expect(-1)
	s.put(deployment("d1", "3", 4, 4, done)) // neither behind nor progressing
	s.expect(-1)
	s.put(deployment("d1", "4", 4, 4, updated))
	s.expect(0)
	s.wait(10 * time.Second)
	s.put(deployment("d1", "5", 4, 4, updated)) // another revision restarts it
	s.expect(0)
	s.wait(20 * time.Second)
	s.put(deployment("d1", "5", 5, 4, updated))
	s.expect(20)
	s.put(deployment("d1", "5", 5, 5, done))
	s.expect(-1)
	// Scaling is not a rollout, although the controller gives the same reason.
	s.put(deployment("d1", "5", 6, 5, updated))
	s.expect(-1)
	s.put(deployment("d1", "6", 6, 6, updated))
	s.expect(0)
	s.Delete(agenttest.Objects(t, deployment("d1", "6", 6, 6, updated))...)
	s.expect(-1)
}

// A revision seen for the first time counts as new, even an empty one.
func TestFirstSeenRevisionIsRollout(t *testing.T) {
	for _, revision := range []string{"", "1"} {
		s := newStage(t)
		s.put(deployment("d1", revision, 2, 1, done))
		s.expect(0)
		s.put(deployment("d1", revision, 3, 2, done))
		s.expect(-1)
		s.put(deployment("d1", revision, 4, 3, done))
		s.expect(-1)
	}
}

// A rollout that started before it was seen starts with the creation of its ReplicaSet,
// whichever of both is seen first, or at the time in the status of the Deployment.
func TestOngoingRollout(t *testing.T) {
	const fresh, older, stale = "2026-01-02T11:58:00Z", "2026-01-02T11:57:00Z", "2026-01-02T11:50:00Z"
	under := deployment("d1", "1", 2, 2, updated)
	for name, c := range map[string]struct {
		objects []string
		want    int
	}{
		"the newest ReplicaSet, seen before": {[]string{replicaSet("a", "d1", older), replicaSet("b", "d1", fresh), under}, 120},
		"the newest ReplicaSet, seen later":  {[]string{under, replicaSet("b", "d1", fresh), replicaSet("a", "d1", older)}, 120},
		"the same in another order":          {[]string{under, replicaSet("a", "d1", older), replicaSet("b", "d1", fresh)}, 120},
		"one before, one after":              {[]string{replicaSet("a", "d1", older), under, replicaSet("b", "d1", fresh)}, 120},
		"a ReplicaSet that is too old":       {[]string{replicaSet("a", "d1", stale), under}, 3600},
		"one of another Deployment":          {[]string{replicaSet("a", "d0", fresh), under}, 3600},
		"none":                               {[]string{under}, 3600},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			for _, o := range c.objects {
				s.put(o)
			}
			s.expect(c.want)
		})
	}
}

// A ReplicaSet created after the rollout was seen is not its start; a deleted one no longer
// counts; nor does a Deployment that was deleted.
func TestRolloutIgnoresUnrelatedReplicaSets(t *testing.T) {
	s := newStage(t)
	s.put(deployment("d1", "1", 2, 1, done))
	s.wait(time.Minute)
	s.put(replicaSet("a", "d1", "2026-01-02T12:00:30Z"))
	s.expect(60)

	s = newStage(t)
	rs := replicaSet("a", "d1", "2026-01-02T11:58:00Z")
	s.put(rs)
	s.Delete(agenttest.Objects(t, rs)...)
	s.put(deployment("d1", "1", 2, 2, updated))
	s.expect(3600)

	s = newStage(t)
	s.put(deployment("d1", "1", 1, 1, done))
	s.put(deployment("d2", "7", 7, 7, done))
	s.expect(-1)
	s.put(deployment("d2", "8", 8, 8, updated))
	s.expect(0)
	s.Feed("deployments").Begin()
	s.Feed("deployments").Commit()
	s.put(deployment("d2", "8", 8, 8, done))
	s.expect(-1)
}

func statefulSet(generation, observed int, spec, status string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop, uid: s, generation: %d},
 spec: {%s}, status: {observedGeneration: %d, %s}}`, generation, spec, observed, status)
}

func TestStatefulSetRollout(t *testing.T) {
	const (
		replicas  = "replicas: 3"
		onDelete  = "replicas: 3, updateStrategy: {type: OnDelete}"
		partition = "replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}"
		none      = "replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}"
		differ    = "currentRevision: a, updateRevision: b, "
		equal     = "currentRevision: b, updateRevision: b, "
	)
	for name, c := range map[string]struct {
		spec, status string
		first, later bool // whether it rolls out, seen for the first time; seen after a change
	}{
		"revisions differ":                {replicas, differ + "readyReplicas: 3", true, true},
		"revisions equal, all ready":      {replicas, equal + "readyReplicas: 3", false, false},
		"revisions equal, one not ready":  {replicas, equal + "readyReplicas: 2", true, true},
		"on delete, differ":               {onDelete, differ + "readyReplicas: 3", true, true},
		"on delete, equal, one not ready": {onDelete, equal + "readyReplicas: 2", false, false},
		"partition reached":               {partition, differ + "readyReplicas: 3, updatedReplicas: 1", false, false},
		"partition not reached":           {partition, differ + "readyReplicas: 3, updatedReplicas: 0", true, true},
		"partition reached, not ready":    {partition, differ + "readyReplicas: 2, updatedReplicas: 1", true, true},
		"a partition of 0, not reached":   {none, differ + "readyReplicas: 3, updatedReplicas: 2", true, true},
		"a partition of 0, reached":       {none, differ + "readyReplicas: 3, updatedReplicas: 3", true, true},
		"no replicas, none updated":       {"", equal + "readyReplicas: 0, updatedReplicas: 0", false, false},
		"no replicas, one updated":        {"", equal + "readyReplicas: 0, updatedReplicas: 1", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.put(statefulSet(1, 1, c.spec, c.status))
			s.expect(map[bool]int{true: 0, false: -1}[c.first])

			s = newStage(t)
			s.put(statefulSet(1, 1, c.spec, "currentRevision: a, updateRevision: a, readyReplicas: 3"))
			s.put(statefulSet(2, 1, c.spec, c.status)) // behind
			s.expect(0)
			s.put(statefulSet(2, 2, c.spec, c.status))
			s.expect(map[bool]int{true: 0, false: -1}[c.later])
		})
	}
	// Scaling a known workload is not a rollout, unless it is behind.
	s := newStage(t)
	s.put(statefulSet(1, 1, replicas, equal+"readyReplicas: 3"))
	s.put(statefulSet(2, 1, "replicas: 5", equal+"readyReplicas: 3"))
	s.expect(-1)
	s.put(statefulSet(2, 2, "replicas: 5", equal+"readyReplicas: 3"))
	s.expect(-1)
	// It starts with the creation of its ControllerRevision.
	s = newStage(t)
	s.put(`{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: db-b, namespace: shop, creationTimestamp: "2026-01-02T11:59:00Z",
 ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: s, controller: true}]}, revision: 2}`)
	s.put(statefulSet(1, 1, replicas, differ+"readyReplicas: 3"))
	s.expect(60)
}

func TestDaemonSetRollout(t *testing.T) {
	daemonSet := func(generation, observed int, status string) string {
		return fmt.Sprintf(`{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: shop, uid: d, generation: %d},
 status: {observedGeneration: %d, %s}}`, generation, observed, status)
	}
	const all = "desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2"
	for status, want := range map[string]int{
		all: -1,
		"desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2": 30,
		"desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1": 30,
		all + ", numberUnavailable: 1":                                             30,
		"numberUnavailable: 1":                                                     -1, // none is wanted
	} {
		s := newStage(t)
		s.put(daemonSet(1, 1, status))
		s.expect(-1) // not seen beginning
		s.put(daemonSet(2, 1, status))
		s.expect(0)
		s.wait(30 * time.Second)
		s.put(daemonSet(2, 2, status))
		s.expect(want)
	}
	// It restarts with each change.
	s := newStage(t)
	s.put(daemonSet(1, 0, all))
	s.wait(time.Minute)
	s.put(daemonSet(2, 0, all))
	s.expect(0)
}
