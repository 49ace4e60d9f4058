package datadog

import (
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Families with the start time of a workload's ongoing rollout, and families without samples
// that only make the tracker see their objects.
const (
	deploymentRollout  = "kube_deployment_ongoing_rollout_duration"
	statefulSetRollout = "kube_statefulset_ongoing_rollout_duration"
	daemonSetRollout   = "kube_daemonset_ongoing_rollout_duration"
	replicaSetSeen     = "kube_replicaset_rollout_tracker"
	revisionSeen       = "kube_controllerrevision_rollout_tracker"
)

func rolloutRules() []naming.Rule {
	return []naming.Rule{
		age(deploymentRollout, "deployment.rollout_duration"),
		age(statefulSetRollout, "statefulset.rollout_duration"),
		age(daemonSetRollout, "daemonset.rollout_duration"),
	}
}

// freshChild is the maximum age of a ReplicaSet or ControllerRevision for its creation to
// count as the start of an ongoing rollout.
const freshChild = 5 * time.Minute

// revisionAnnotation has the current revision of a Deployment.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// rollouts is a Tracker of the rollouts of Deployments, StatefulSets and DaemonSets. No
// object has the start of a rollout: it is the creation of the ReplicaSet or
// ControllerRevision made for it, or else the time when the rollout was first seen.
type rollouts struct {
	now      func() time.Time
	known    map[objectKey]*workload
	byUID    map[types.UID]*workload
	children map[types.UID]map[objectKey]time.Time // creation times of fresh children, by owner
	owners   map[objectKey]types.UID               // of children
}

type objectKey struct{ resource, namespace, name string }

// workload is the state of a Deployment, StatefulSet or DaemonSet.
type workload struct {
	uid      types.UID
	revision string   // last seen, also after its rollout
	rollout  *rollout // nil if there is none
}

// rollout is an ongoing rollout.
type rollout struct {
	start naming.Moving // Unix seconds
	found time.Time     // when it was first seen
	child time.Time     // creation time of the child that start is from; zero if from none
}

func newRollouts(now func() time.Time) naming.Tracker {
	return &rollouts{
		now:   now,
		known: map[objectKey]*workload{}, byUID: map[types.UID]*workload{},
		children: map[types.UID]map[objectKey]time.Time{}, owners: map[objectKey]types.UID{},
	}
}

// Extend adds the families to the tables of workloads and their children.
func (r *rollouts) Extend(t *kind.Table) (*kind.Table, error) {
	switch t.Name {
	case "deployments":
		return follow[appsv1.Deployment](t, deploymentRollout, "metadata.annotations", "spec.replicas", "status")
	case "statefulsets":
		return follow[appsv1.StatefulSet](t, statefulSetRollout, "spec.{replicas,updateStrategy}", "status")
	case "daemonsets":
		return follow[appsv1.DaemonSet](t, daemonSetRollout, "status")
	case "replicasets":
		return follow[appsv1.ReplicaSet](t, replicaSetSeen, "metadata.ownerReferences")
	case "controllerrevisions":
		return follow[appsv1.ControllerRevision](t, revisionSeen, "metadata.ownerReferences")
	default:
		return t, nil
	}
}

func follow[T any, P interface {
	*T
	kind.Object
}](t *kind.Table, family string, reads ...string,
) (*kind.Table, error) {
	d := metric.Desc{Name: family, Type: metric.Gauge, Stability: metric.Alpha, Help: "Start time of the ongoing rollout in Unix seconds.", Beyond: true}
	extended, err := kind.Extend[T, P](t, kind.NewRow(d, func(*T, *metric.Emitter) {}).Reading(reads...))
	if err != nil {
		return nil, fmt.Errorf("follow rollouts: %w", err)
	}
	return extended, nil
}

// Put tracks an object.
func (r *rollouts) Put(resource string, o kind.Object, emit func(naming.Tracked)) {
	k := objectKey{resource, o.GetNamespace(), o.GetName()}
	switch o := o.(type) {
	case *appsv1.Deployment:
		r.follow(k, deploymentState(o), emit)
	case *appsv1.StatefulSet:
		r.follow(k, statefulSetState(o), emit)
	case *appsv1.DaemonSet:
		r.follow(k, daemonSetState(o), emit)
	case *appsv1.ReplicaSet, *appsv1.ControllerRevision:
		r.addChild(k, o)
	}
}

// Delete forgets an object.
func (r *rollouts) Delete(resource, namespace, name string) {
	k := objectKey{resource, namespace, name}
	if w, ok := r.known[k]; ok {
		delete(r.known, k)
		delete(r.byUID, w.uid)
	}
	if owner, ok := r.owners[k]; ok {
		delete(r.owners, k)
		delete(r.children[owner], k)
		if len(r.children[owner]) == 0 {
			delete(r.children, owner)
		}
	}
}

// addChild records when a child of a workload was created, and corrects the start of a
// rollout that was seen before its child.
func (r *rollouts) addChild(k objectKey, o metav1.Object) {
	owner := metav1.GetControllerOfNoCopy(o)
	if old, ok := r.owners[k]; ok && (owner == nil || owner.UID != old) {
		r.Delete(k.resource, k.namespace, k.name)
	}
	created := o.GetCreationTimestamp().Time
	if owner == nil || r.now().Sub(created) >= freshChild {
		return // too old to be the start of a rollout
	}
	if r.children[owner.UID] == nil {
		r.children[owner.UID] = map[objectKey]time.Time{}
	}
	r.owners[k], r.children[owner.UID][k] = owner.UID, created
	if w := r.byUID[owner.UID]; w != nil && w.rollout != nil {
		w.rollout.beganWith(created)
	}
}

// beganWith makes the creation of a child the start of the rollout, if that is plausible.
func (x *rollout) beganWith(created time.Time) {
	if created.After(x.found) || x.found.Sub(created) >= freshChild || !created.After(x.child) {
		return
	}
	x.child = created
	x.start.Set(float64(created.Unix()))
}

// rolloutState is the rollout state in the spec and status of a workload.
type rolloutState struct {
	family   string
	uid      types.UID
	revision string // the generation for a DaemonSet, which exposes no revision
	// behind means that the controller has not yet observed the current generation.
	behind bool
	// generationIsRevision means that the generation is the only revision, so that a
	// workload that is behind is rolling out.
	generationIsRevision bool
	progressing          bool      // the workload does not match its spec yet
	since                time.Time // when it began to progress; zero if unknown
}

// follow records the state of a workload, and emits the start of its rollout if one is
// ongoing. A rollout starts with a revision that was not seen before, so scaling or pausing
// a known workload is not a rollout.
func (r *rollouts) follow(k objectKey, s rolloutState, emit func(naming.Tracked)) {
	w := r.known[k]
	first := w == nil || w.uid != s.uid
	if first {
		r.Delete(k.resource, k.namespace, k.name)
		w = &workload{uid: s.uid}
		r.known[k], r.byUID[s.uid] = w, w
	}
	changed := first || s.revision != w.revision
	starts := changed && (s.behind || s.progressing)
	if s.generationIsRevision {
		starts = s.behind
	}
	switch {
	case !starts && (w.rollout == nil || !s.progressing):
		w.rollout = nil
	case w.rollout == nil:
		w.rollout = r.begin(s, first)
	case changed:
		w.rollout.child = r.now() // ignore children created before
		w.rollout.start.Set(float64(r.now().Unix()))
	}
	w.revision = s.revision
	if w.rollout != nil {
		emit(naming.Tracked{Family: s.family, Value: &w.rollout.start})
	}
}

// begin returns the rollout of a workload that was found rolling out. The time in its status
// counts only if the workload is seen for the first time: a Deployment that has been healthy
// for weeks reports that it has been progressing for as long.
func (r *rollouts) begin(s rolloutState, first bool) *rollout {
	x := &rollout{found: r.now()}
	started := x.found
	if first && !s.since.IsZero() {
		started = s.since
	}
	x.start.Set(float64(started.Unix()))
	for _, created := range r.children[s.uid] {
		x.beganWith(created)
	}
	return x
}

func deploymentState(d *appsv1.Deployment) rolloutState {
	s := rolloutState{
		family: deploymentRollout, uid: d.UID, revision: d.Annotations[revisionAnnotation],
		behind: d.Generation != d.Status.ObservedGeneration,
	}
	for i := range d.Status.Conditions {
		c := &d.Status.Conditions[i]
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionTrue && c.Reason == "ReplicaSetUpdated" {
			s.progressing, s.since = true, c.LastTransitionTime.Time
		}
	}
	return s
}

func statefulSetState(x *appsv1.StatefulSet) rolloutState {
	s := rolloutState{
		family: statefulSetRollout, uid: x.UID, revision: x.Status.UpdateRevision,
		behind: x.Generation != x.Status.ObservedGeneration,
	}
	differs := x.Status.CurrentRevision != x.Status.UpdateRevision
	desired := int32(1)
	if x.Spec.Replicas != nil {
		desired = *x.Spec.Replicas
	}
	switch {
	case x.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType:
		s.progressing = differs
	case differs:
		s.progressing = !partitionDone(x, desired)
	case x.Spec.Replicas == nil && x.Status.UpdatedReplicas == 0:
	default:
		s.progressing = x.Status.ReadyReplicas < desired
	}
	return s
}

// partitionDone reports whether the partitioned update of a StatefulSet is complete. The API
// server defaults the partition to 0, which updates all Pods.
func partitionDone(x *appsv1.StatefulSet, desired int32) bool {
	u := x.Spec.UpdateStrategy.RollingUpdate
	return u != nil && u.Partition != nil && *u.Partition > 0 &&
		x.Status.UpdatedReplicas >= desired-*u.Partition && x.Status.ReadyReplicas >= desired
}

func daemonSetState(x *appsv1.DaemonSet) rolloutState {
	n := &x.Status
	return rolloutState{
		family: daemonSetRollout, uid: x.UID, revision: strconv.FormatInt(x.Generation, 10), generationIsRevision: true,
		behind: x.Generation != n.ObservedGeneration,
		progressing: n.DesiredNumberScheduled > 0 &&
			(n.UpdatedNumberScheduled < n.DesiredNumberScheduled || n.NumberAvailable < n.DesiredNumberScheduled || n.NumberUnavailable > 0),
	}
}
