// Package workload answers which workload owns an object: the end of the chain of owners, as
// the recording rule namespace_workload_pod:kube_pod_owner:relabel of the Kubernetes mixin
// resolves it.
//
// Most objects say it themselves: a Pod of a Deployment has the hash that ends the name of
// its ReplicaSet as a label. What owns the owner of other Pods, a ReplicaSet or a Job, an
// Index knows. The package does not know what depends on the answer.
package workload

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workload is the end of a chain of owners: the values of the labels workload and
// workload_type. The zero value is unknown.
type Workload struct{ Name, Type string }

// Owner names what owns an object; the zero value is nothing.
type Owner struct{ Kind, Name string }

// Owned names an object that may have an owner: a ReplicaSet or a Job.
type Owned struct{ Kind, Namespace, Name string }

// Workload returns the workload of what o owns, if owner is what owns o.
func (o Owned) Workload(owner Owner) Workload {
	switch {
	case owner.Kind == "" && o.Kind == "ReplicaSet":
		return Workload{o.Name, "replicaset"}
	case owner.Kind == "" || owner.Kind == "Pod" && o.Kind == "Job":
		return Workload{o.Name, "job"}
	case owner.Kind == "Deployment" && o.Kind == "ReplicaSet":
		return Workload{owner.Name, "deployment"}
	default:
		return Workload{owner.Name, owner.Kind}
	}
}

// Of returns the workload that an object belongs to, through its controller or else its
// first owner. Where that depends on what owns the owner, ask is the owner, and ask.Workload
// the rest of the way. Pods, ReplicaSets and Jobs have a workload, and what can be one is its
// own; others have none.
func Of(o metav1.Object) (w Workload, ask Owned) {
	switch o := o.(type) {
	case *corev1.Pod:
		if r := controller(o.OwnerReferences); r != nil {
			return Through(o, r)
		}
		return Workload{o.Name, "barepod"}, Owned{}
	case *appsv1.ReplicaSet:
		owner, known := byHash(o.Labels, o.Name)
		if !known {
			owner = Controller(o.OwnerReferences)
		}
		return Owned{"ReplicaSet", o.Namespace, o.Name}.Workload(owner), Owned{}
	case *batchv1.Job:
		return Owned{"Job", o.Namespace, o.Name}.Workload(Controller(o.OwnerReferences)), Owned{}
	case *appsv1.Deployment:
		return Workload{o.Name, "deployment"}, Owned{}
	case *appsv1.StatefulSet:
		return Workload{o.Name, "statefulset"}, Owned{}
	case *appsv1.DaemonSet:
		return Workload{o.Name, "daemonset"}, Owned{}
	case *batchv1.CronJob:
		return Workload{o.Name, "CronJob"}, Owned{}
	default:
		return Workload{}, Owned{}
	}
}

// Through returns the workload to which an owner of a Pod leads or, where that depends on
// what owns the owner, the owner.
func Through(p *corev1.Pod, r *metav1.OwnerReference) (w Workload, ask Owned) {
	switch r.Kind {
	case "ReplicaSet":
		rs := Owned{r.Kind, p.Namespace, r.Name}
		if owner, known := byHash(p.Labels, r.Name); known {
			return rs.Workload(owner), Owned{}
		}
		return Workload{}, rs
	case "Job":
		return Workload{}, Owned{r.Kind, p.Namespace, r.Name}
	case "StatefulSet":
		return Workload{r.Name, "statefulset"}, Owned{}
	case "DaemonSet":
		return Workload{r.Name, "daemonset"}, Owned{}
	case "Node":
		return Workload{p.Name, "staticpod"}, Owned{}
	default:
		return Workload{r.Name, r.Kind}, Owned{}
	}
}

// Reads returns the fields that this package reads of Pods, ReplicaSets and Jobs, named as in
// kind.Kind.
func Reads() []string {
	return []string{
		"metadata.labels[" + podTemplateHash + "]", "metadata.labels[" + rolloutsPodTemplateHash + "]",
		"metadata.ownerReferences.{kind,name,controller}",
	}
}

// OwnerOf returns a ReplicaSet or Job of which an Index may be asked, and what owns it: the
// controller, else the first owner. It is not ok for objects whose name says it, and for
// other kinds.
func OwnerOf(kind string, o metav1.Object) (owned Owned, owner Owner, ok bool) {
	switch kind {
	case "ReplicaSet":
		if _, known := byHash(o.GetLabels(), o.GetName()); known {
			return Owned{}, Owner{}, false
		}
	case "Job":
	default:
		return Owned{}, Owner{}, false
	}
	return Owned{kind, o.GetNamespace(), o.GetName()}, Controller(o.GetOwnerReferences()), true
}

// Controller returns the controller, else the first owner.
func Controller(refs []metav1.OwnerReference) Owner {
	if r := controller(refs); r != nil {
		return Owner{r.Kind, r.Name}
	}
	return Owner{}
}

func controller(refs []metav1.OwnerReference) *metav1.OwnerReference {
	for i := range refs {
		if refs[i].Controller != nil && *refs[i].Controller {
			return &refs[i]
		}
	}
	if len(refs) > 0 {
		return &refs[0]
	}
	return nil
}

// The labels that contain the end of a ReplicaSet's name, of Deployments and of Argo Rollouts.
const (
	podTemplateHash         = "pod-template-hash"
	rolloutsPodTemplateHash = "rollouts-pod-template-hash"
)

// byHash derives the owner of a ReplicaSet from its name, which ends in the hash of the Pod
// template. That hash is also a label of the ReplicaSet and of its Pods.
func byHash(labels map[string]string, replicaSet string) (Owner, bool) {
	for _, c := range [...]struct{ label, kind string }{{podTemplateHash, "Deployment"}, {rolloutsPodTemplateHash, "Rollout"}} {
		hash := labels[c.label]
		if hash == "" {
			continue
		}
		if rest, ok := strings.CutSuffix(replicaSet, hash); ok {
			if name, ok := strings.CutSuffix(rest, "-"); ok && name != "" {
				return Owner{c.kind, name}, true
			}
		}
	}
	return Owner{}, false
}

// Hashes returns the labels that Through reads; nil if there are none.
func Hashes(labels map[string]string) (hashes map[string]string) {
	for _, label := range []string{podTemplateHash, rolloutsPodTemplateHash} {
		if hash := labels[label]; hash != "" {
			if hashes == nil {
				hashes = map[string]string{}
			}
			hashes[label] = hash
		}
	}
	return hashes
}

// Guess guesses from the name alone which Deployment created a ReplicaSet, or which CronJob
// created a Job. It is right for names that those controllers make: their own, a dash, and a
// suffix of at least three characters that is digits or, for a ReplicaSet, only characters
// that hashes in names consist of. For other kinds and other names it is not ok. It
// allocates nothing.
func Guess(kind, name string) (owner Owner, ok bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 1 {
		return Owner{}, false
	}
	name, suffix := name[:dash], name[dash+1:]
	switch {
	case len(suffix) < minSuffix:
	case kind == "ReplicaSet" && (consistsOf(suffix, digits) || consistsOf(suffix, safeAlphabet)):
		return Owner{"Deployment", name}, true
	case kind == "Job" && consistsOf(suffix, digits):
		return Owner{"CronJob", name}, true
	}
	return Owner{}, false
}

const (
	minSuffix = 3
	digits    = "0123456789"
	// safeAlphabet has the characters of hashes and random suffixes in Kubernetes.
	safeAlphabet = "bcdfghjklmnpqrstvwxz2456789"
)

func consistsOf(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }

// Guessed returns the owner of a Pod for the labels owner_kind and owner_name: the first
// reference that says whether it is the controller, else the last, or the owner that can be
// guessed from its name.
func Guessed(refs []metav1.OwnerReference) Owner {
	if len(refs) == 0 {
		return Owner{"<none>", "<none>"}
	}
	r := &refs[len(refs)-1]
	for i := range refs {
		if refs[i].Controller != nil {
			r = &refs[i]
			break
		}
	}
	if owner, ok := Guess(r.Kind, r.Name); ok {
		return owner
	}
	return Owner{r.Kind, r.Name}
}
