package cluster

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// daemonSetNames are the agents of which every node runs one, as far as the
// number of pods allows.
func daemonSetNames() []string {
	return []string{"cni-agent", "kube-proxy", "log-agent", "node-exporter"}
}

// workloads makes everything that has pods, namespace after namespace.
func (g *generator) workloads() error {
	daemons := min(len(daemonSetNames()), g.Pods/3/g.Nodes)
	left := g.Pods - daemons*g.Nodes
	for i, namespace := range g.namespaceNames {
		share := left / (len(g.namespaceNames) - i)
		if empty := namespace == "kube-node-lease" || namespace == "kube-public"; empty && i < len(g.namespaceNames)-1 {
			continue
		}
		if namespace == "kube-system" {
			for _, name := range daemonSetNames()[:daemons] {
				if err := g.daemonSet(namespace, name); err != nil {
					return err
				}
			}
		}
		if err := g.fill(namespace, share); err != nil {
			return err
		}
		left -= share
	}
	return nil
}

// fill makes workloads with the given number of pods altogether.
func (g *generator) fill(namespace string, pods int) error {
	for i := 0; pods > 0; i++ {
		app := components()[i%len(components())]
		if round := i / len(components()); round > 0 {
			app = fmt.Sprintf("%s-%d", app, round+1)
		}
		n := min(pods, g.replicas())
		var err error
		switch roll := g.rand.Float64(); {
		case roll < 0.02:
			n, err = 0, g.deployment(namespace, app, 0)
		case roll < 0.80:
			err = g.deployment(namespace, app, n)
		case roll < 0.88:
			err = g.statefulSet(namespace, app, n)
		case roll < 0.98:
			n, err = 1, g.job(namespace, app)
		default:
			n, err = 1, g.barePod(namespace, app)
		}
		if err != nil {
			return err
		}
		pods -= n
	}
	return nil
}

// replicas draws the size of a workload: most are small, few are large.
func (g *generator) replicas() int {
	switch roll := g.rand.Float64(); {
	case roll < 0.35:
		return 1
	case roll < 0.60:
		return 2
	case roll < 0.80:
		return 3
	case roll < 0.95:
		return 4 + g.rand.IntN(8)
	}
	return 15 + g.rand.IntN(60)
}

// meta makes the metadata of a namespaced object.
func (g *generator) meta(namespace, name string, created metav1.Time, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: namespace, UID: g.uid(), CreationTimestamp: created, Generation: 1, Labels: labels,
	}
}

func selectorOf(app string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": app, "app.kubernetes.io/instance": app}
}

// deployment makes a Deployment with its present ReplicaSet, the pods, some
// past ReplicaSets without pods, and what an application brings along.
func (g *generator) deployment(namespace, app string, replicas int) error {
	template := g.template(namespace, app)
	revisions := 1 + g.rand.IntN(3)
	d := &appsv1.Deployment{
		ObjectMeta: g.meta(namespace, app, g.ago(g.between(24*time.Hour, 200*24*time.Hour)), template.Labels),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(replicas)),
			Selector: &metav1.LabelSelector{MatchLabels: selectorOf(app)},
			Template: template,
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxUnavailable: new(intstr.FromString("25%")), MaxSurge: new(intstr.FromString("25%"))}},
			RevisionHistoryLimit:    new(int32(10)),
			ProgressDeadlineSeconds: new(int32(600)),
		},
	}
	d.Generation = int64(revisions)
	d.Annotations = map[string]string{"meta.helm.sh/release-name": app, "meta.helm.sh/release-namespace": namespace}
	setRevision(&d.ObjectMeta, revisions)

	for revision := 1; revision < revisions; revision++ {
		if err := g.putReplicaSet(g.replicaSet(d, revision, 0)); err != nil {
			return err
		}
	}
	rs := g.replicaSet(d, revisions, replicas)
	t, err := g.runPods(podsOf(rs), replicas, g.servicePodState)
	if err != nil {
		return err
	}
	setReplicaSetStatus(rs, t.pods, t.ready)
	if err := g.putReplicaSet(rs); err != nil {
		return err
	}
	g.setDeploymentStatus(d, t.pods, t.pods, t.ready)
	if err := g.putDeployment(d); err != nil {
		return err
	}
	if err := g.guards(d); err != nil {
		return err
	}
	return g.application(namespace, app, &template.Spec, t)
}

const revisionAnnotation = "deployment.kubernetes.io/revision"

func setRevision(meta *metav1.ObjectMeta, revision int) {
	if meta.Annotations == nil {
		meta.Annotations = map[string]string{}
	}
	meta.Annotations[revisionAnnotation] = fmt.Sprint(revision)
}

// replicaSet makes the ReplicaSet of one revision of a Deployment.
func (g *generator) replicaSet(d *appsv1.Deployment, revision, replicas int) *appsv1.ReplicaSet {
	hash := g.suffix(10)
	template := labelled(d.Spec.Template, map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash})
	rs := &appsv1.ReplicaSet{
		ObjectMeta: g.meta(d.Namespace, d.Name+"-"+hash, g.age(d.CreationTimestamp, 60*24*time.Hour), template.Labels),
		Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32(replicas)),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{
				"app.kubernetes.io/name": d.Name, appsv1.DefaultDeploymentUniqueLabelKey: hash}},
			Template: *template,
		},
	}
	rs.OwnerReferences = []metav1.OwnerReference{*controller("apps/v1", "Deployment", d)}
	rs.Annotations = map[string]string{
		"deployment.kubernetes.io/desired-replicas": fmt.Sprint(*d.Spec.Replicas),
		"deployment.kubernetes.io/max-replicas":     fmt.Sprint(*d.Spec.Replicas + (*d.Spec.Replicas+3)/4),
	}
	setRevision(&rs.ObjectMeta, revision)
	setReplicaSetStatus(rs, 0, 0)
	return rs
}

func (g *generator) putReplicaSet(rs *appsv1.ReplicaSet) error {
	return g.put(rs, "kube-controller-manager", "kube-controller-manager", "apps/v1", &rs.Spec.Template.Spec)
}

func (g *generator) putDeployment(d *appsv1.Deployment) error {
	return g.put(d, "helm", "kube-controller-manager", "apps/v1", &d.Spec.Template.Spec)
}

// podsOf is the workload of a ReplicaSet.
func podsOf(rs *appsv1.ReplicaSet) *workload {
	return &workload{
		namespace: rs.Namespace, prefix: rs.Name + "-", owner: controller("apps/v1", "ReplicaSet", rs),
		template: &rs.Spec.Template, created: rs.CreationTimestamp,
	}
}

func setReplicaSetStatus(rs *appsv1.ReplicaSet, pods, ready int) {
	rs.Status = appsv1.ReplicaSetStatus{
		Replicas: int32(pods), FullyLabeledReplicas: int32(pods), ReadyReplicas: int32(ready), AvailableReplicas: int32(ready),
		ObservedGeneration: rs.Generation,
	}
}

// setDeploymentStatus counts pods of all revisions, those of the newest one,
// and those that are ready.
func (g *generator) setDeploymentStatus(d *appsv1.Deployment, pods, updated, ready int) {
	wanted := int(*d.Spec.Replicas)
	condition := func(kind appsv1.DeploymentConditionType, holds bool, reason, message string) appsv1.DeploymentCondition {
		c := appsv1.DeploymentCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message,
			LastUpdateTime: g.ago(0), LastTransitionTime: d.CreationTimestamp}
		if !holds {
			c.Status = corev1.ConditionFalse
		}
		return c
	}
	available := condition(appsv1.DeploymentAvailable, true, "MinimumReplicasAvailable", "Deployment has minimum availability.")
	if ready < wanted-wanted/4 {
		available = condition(appsv1.DeploymentAvailable, false, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
	}
	progressing := condition(appsv1.DeploymentProgressing, true, "NewReplicaSetAvailable", "ReplicaSet has successfully progressed.")
	if updated < wanted {
		progressing = condition(appsv1.DeploymentProgressing, true, "ReplicaSetUpdated", "ReplicaSet is progressing.")
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation,
		Replicas:           int32(pods), UpdatedReplicas: int32(updated), ReadyReplicas: int32(ready),
		AvailableReplicas: int32(ready), UnavailableReplicas: int32(max(0, wanted-ready)),
		Conditions: []appsv1.DeploymentCondition{available, progressing},
	}
}

// barePod makes a pod that nothing controls.
func (g *generator) barePod(namespace, app string) error {
	template := g.template(namespace, app)
	w := &workload{namespace: namespace, prefix: app + "-debug-", template: &template, created: g.ago(30 * 24 * time.Hour)}
	_, err := g.runPods(w, 1, g.servicePodState)
	return err
}
