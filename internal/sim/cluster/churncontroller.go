package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podDelta is what a change of one pod means to its controller.
type podDelta struct {
	pods, ready int      // more or fewer than before
	state       podState // of the pod
}

// count brings the status of a pod's controllers up to date.
func (c *Churn) count(pod *corev1.Pod, d podDelta) error {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return nil
	}
	if ended := d.state == podSucceeded || d.state == podFailed; d.pods == 0 && d.ready == 0 && !ended {
		return nil
	}
	switch owner.Kind {
	case "ReplicaSet":
		return c.countReplicaSet(pod.Namespace, owner.Name, d)
	case "DaemonSet":
		return c.countDaemonSet(pod.Namespace, owner.Name, d)
	case "StatefulSet":
		return c.countStatefulSet(pod.Namespace, owner.Name, d)
	case "Job":
		return c.countJob(pod.Namespace, owner.Name, d)
	}
	return nil
}

func (c *Churn) countReplicaSet(namespace, name string, d podDelta) error {
	rs, err := load[*appsv1.ReplicaSet](c.store, "replicasets", namespace, name)
	if err != nil || rs == nil {
		return err
	}
	setReplicaSetStatus(rs, int(rs.Status.Replicas)+d.pods, int(rs.Status.ReadyReplicas)+d.ready)
	if err := c.update(rs); err != nil {
		return err
	}
	owner := metav1.GetControllerOf(rs)
	if owner == nil {
		return nil
	}
	deployment, err := load[*appsv1.Deployment](c.store, "deployments", namespace, owner.Name)
	if err != nil || deployment == nil {
		return err
	}
	status, updated := deployment.Status, int(deployment.Status.UpdatedReplicas)
	if rs.Annotations[revisionAnnotation] == deployment.Annotations[revisionAnnotation] {
		updated += d.pods
	}
	c.setDeploymentStatus(deployment, int(status.Replicas)+d.pods, updated, int(status.ReadyReplicas)+d.ready)
	return c.update(deployment)
}

func (c *Churn) countDaemonSet(namespace, name string, d podDelta) error {
	ds, err := load[*appsv1.DaemonSet](c.store, "daemonsets", namespace, name)
	if err != nil || ds == nil {
		return err
	}
	ds.Status.CurrentNumberScheduled += int32(d.pods)
	ds.Status.NumberReady += int32(d.ready)
	ds.Status.NumberAvailable = ds.Status.NumberReady
	ds.Status.NumberUnavailable = ds.Status.DesiredNumberScheduled - ds.Status.NumberReady
	return c.update(ds)
}

func (c *Churn) countStatefulSet(namespace, name string, d podDelta) error {
	sts, err := load[*appsv1.StatefulSet](c.store, "statefulsets", namespace, name)
	if err != nil || sts == nil {
		return err
	}
	sts.Status.Replicas += int32(d.pods)
	sts.Status.CurrentReplicas, sts.Status.UpdatedReplicas = sts.Status.Replicas, sts.Status.Replicas
	sts.Status.ReadyReplicas += int32(d.ready)
	sts.Status.AvailableReplicas = sts.Status.ReadyReplicas
	return c.update(sts)
}

// countJob follows the only pod of a Job.
func (c *Churn) countJob(namespace, name string, d podDelta) error {
	job, err := load[*batchv1.Job](c.store, "jobs", namespace, name)
	if err != nil || job == nil {
		return err
	}
	t := tally{pods: 1}
	switch {
	case d.pods < 0:
		t.pods = 0
	case d.state == podSucceeded:
		t.succeeded = 1
	case d.state == podFailed:
		t.failed = 1
	case d.state == podRunning:
		t.ready = 1
	}
	c.setJobStatus(job, t)
	return c.update(job)
}

// rollout is a Deployment on its way to a new revision.
type rollout struct {
	namespace, deployment string
	from, to              string // ReplicaSets
}

// maxRollouts is how many Deployments roll out at a time.
const maxRollouts = 4

// roll starts a roll-out or takes the oldest one a pod further.
func (c *Churn) roll() error {
	if len(c.rollouts) == 0 || len(c.rollouts) < maxRollouts && c.chance(0.2) {
		return c.startRollout()
	}
	r := c.rollouts[0]
	pods := c.store.WithPrefix("pods", r.namespace, r.from+"-")
	if len(pods) == 0 {
		c.rollouts = slices.Delete(c.rollouts, 0, 1)
		return c.prune(r)
	}
	object, err := pods[0].Decode()
	if err != nil {
		return err
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return fmt.Errorf("pod %s/%s is a %T", r.namespace, pods[0].Name, object)
	}
	return c.movePod(r, pod)
}

// startRollout gives a random Deployment a new revision, unless it is busy.
func (c *Churn) startRollout() error {
	object, err := c.random("deployments")
	if err != nil || object == nil {
		return err
	}
	d, ok := object.(*appsv1.Deployment)
	if !ok {
		return fmt.Errorf("deployment %s/%s is a %T", object.GetNamespace(), object.GetName(), object)
	}
	if slices.ContainsFunc(c.rollouts, func(r rollout) bool { return r.namespace == d.Namespace && r.deployment == d.Name }) {
		return nil
	}
	sets, err := c.revisions(d)
	if err != nil || len(sets) == 0 {
		return err
	}
	latest := sets[len(sets)-1]
	revision := revisionOf(latest) + 1
	d.Generation++
	d.Spec.Template.Annotations["checksum/config"] = c.digest()[len("sha256:"):]
	d.Spec.Template.Labels["app.kubernetes.io/version"] = fmt.Sprintf("%d.0.%d", revision, c.rand.IntN(10))
	setRevision(&d.ObjectMeta, revision)
	next := c.replicaSet(d, revision, 0)
	next.CreationTimestamp = c.ago(0)
	if err := c.putReplicaSet(next); err != nil {
		return err
	}
	c.setDeploymentStatus(d, int(d.Status.Replicas), 0, int(d.Status.ReadyReplicas))
	c.rollouts = append(c.rollouts, rollout{d.Namespace, d.Name, latest.Name, next.Name})
	return c.update(d)
}

// movePod deletes a pod of the old ReplicaSet and makes one of the new.
func (c *Churn) movePod(r rollout, pod *corev1.Pod) error {
	if err := c.deletePod(pod); err != nil {
		return err
	}
	if _, err := c.scale(r.namespace, r.from, -1); err != nil {
		return err
	}
	next, err := c.scale(r.namespace, r.to, +1)
	if err != nil || next == nil {
		return err
	}
	w := podsOf(next)
	return c.createPod(c.newPod(w, ""), c.freePodName(r.namespace, w.prefix), c.pick(c.nodeNames))
}

func (c *Churn) scale(namespace, name string, by int32) (*appsv1.ReplicaSet, error) {
	rs, err := load[*appsv1.ReplicaSet](c.store, "replicasets", namespace, name)
	if err != nil || rs == nil {
		return nil, err
	}
	rs.Generation++
	rs.Status.ObservedGeneration = rs.Generation
	rs.Spec.Replicas = new(*rs.Spec.Replicas + by)
	return rs, c.update(rs)
}

// prune deletes the oldest ReplicaSets of a Deployment beyond its history.
func (c *Churn) prune(r rollout) error {
	d, err := load[*appsv1.Deployment](c.store, "deployments", r.namespace, r.deployment)
	if err != nil || d == nil {
		return err
	}
	sets, err := c.revisions(d)
	if err != nil {
		return err
	}
	for _, rs := range sets[:max(0, len(sets)-1-int(*d.Spec.RevisionHistoryLimit))] {
		if _, err := c.store.Delete("replicasets", rs.Namespace, rs.Name); err != nil {
			return err
		}
	}
	return nil
}

// revisions returns the ReplicaSets of a Deployment, oldest revision first.
func (c *Churn) revisions(d *appsv1.Deployment) ([]*appsv1.ReplicaSet, error) {
	var sets []*appsv1.ReplicaSet
	for _, e := range c.store.WithPrefix("replicasets", d.Namespace, d.Name+"-") {
		object, err := e.Decode()
		if err != nil {
			return nil, err
		}
		if rs, ok := object.(*appsv1.ReplicaSet); ok && metav1.IsControlledBy(rs, d) {
			sets = append(sets, rs)
		}
	}
	slices.SortFunc(sets, func(a, b *appsv1.ReplicaSet) int { return cmp.Compare(revisionOf(a), revisionOf(b)) })
	return sets, nil
}

// revisionOf reads the revision set by the Deployment; 0 if there is none.
func revisionOf(rs *appsv1.ReplicaSet) int {
	n, err := strconv.Atoi(rs.Annotations[revisionAnnotation])
	if err != nil {
		return 0
	}
	return n
}
