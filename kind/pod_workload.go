package kind

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

// This file holds the row of Pods about the workload that they belong to: the
// end of the chain of owners, as the recording rule
// namespace_workload_pod:kube_pod_owner:relabel of the Kubernetes mixin resolves it.

// Owned names an object that may have an owner: a ReplicaSet or a Job.
type Owned struct{ Kind, Namespace, Name string }

// Owner names what owns an object; the zero value is nothing.
type Owner struct{ Kind, Name string }

// Owners tells what owns an object. It is not ok while the object is not known;
// what belongs to it has no workload until then. It is called from many
// goroutines and must not allocate.
type Owners func(Owned) (owner Owner, ok bool)

// podWorkload is the row kube_pod_workload. Without Options.Owners the chain ends
// at what the Pod itself says.
func podWorkload() Row[pod] {
	r := beyond(each("kube_pod_workload", alpha, "One series of value 1 per owner of the Pod, with the workload at the end of the chain of owners.", labels{
		label("workload", "name of the workload; that of the Pod if nothing owns it"),
		label("workload_type", "deployment, replicaset, statefulset, daemonset, job, barepod, staticpod, or the kind of any other owner, such as CronJob"),
	}, func(*pod, *metric.Emitter) {}))
	r.bind = func(o Options) func(*pod, *metric.Emitter) {
		of := o.Owners
		if of == nil {
			of = func(Owned) (Owner, bool) { return Owner{}, true }
		}
		return func(p *pod, e *metric.Emitter) { workloads(p, of, e) }
	}
	return r.Reading(labelsField)
}

// workload is the label values of a sample.
type workload struct{ name, typ string }

func workloads(p *pod, of Owners, e *metric.Emitter) {
	if len(p.OwnerReferences) == 0 {
		e.Add(1, p.Name, "barepod")
	}
	// Two owners may lead to one workload. Pods have one owner, rarely two; beyond
	// eight workloads nothing is compared.
	var few [8]workload
	n := 0
	for i := range p.OwnerReferences {
		w, ok := workloadOf(p, &p.OwnerReferences[i], of)
		if !ok || slices.Contains(few[:n], w) {
			continue
		}
		if n < len(few) {
			few[n] = w
			n++
		}
		e.Add(1, w.name, w.typ)
	}
}

func workloadOf(p *pod, r *metav1.OwnerReference, of Owners) (workload, bool) {
	switch r.Kind {
	case "ReplicaSet":
		return ofReplicaSet(p, r.Name, of)
	case "Job":
		return ofJob(p, r.Name, of)
	case "StatefulSet":
		return workload{r.Name, "statefulset"}, true
	case "DaemonSet":
		return workload{r.Name, "daemonset"}, true
	case "Node":
		return workload{p.Name, "staticpod"}, true
	default:
		return workload{r.Name, r.Kind}, true
	}
}

func ofReplicaSet(p *pod, name string, of Owners) (workload, bool) {
	owner, ok := ownerByName(p.Labels, name)
	if !ok {
		owner, ok = of(Owned{"ReplicaSet", p.Namespace, name})
	}
	switch owner.Kind {
	case "":
		return workload{name, "replicaset"}, ok
	case "Deployment":
		return workload{owner.Name, "deployment"}, ok
	default:
		return workload{owner.Name, owner.Kind}, ok
	}
}

func ofJob(p *pod, name string, of Owners) (workload, bool) {
	owner, ok := of(Owned{"Job", p.Namespace, name})
	if owner.Kind == "" || owner.Kind == "Pod" {
		return workload{name, "job"}, ok
	}
	return workload{owner.Name, owner.Kind}, ok
}

// OwnerOf returns an object of which Owners may be asked, and what owns it: the
// controller, else the first owner. It is not ok for objects whose name says all,
// and for other kinds than ReplicaSet and Job.
func OwnerOf(t *Table, o Object) (Owned, Owner, bool) {
	if t.Kind != "ReplicaSet" && t.Kind != "Job" {
		return Owned{}, Owner{}, false
	}
	if _, told := ownerByName(o.GetLabels(), o.GetName()); told && t.Kind == "ReplicaSet" {
		return Owned{}, Owner{}, false
	}
	owned := Owned{t.Kind, o.GetNamespace(), o.GetName()}
	refs := o.GetOwnerReferences()
	if c := metav1.GetControllerOfNoCopy(o); c != nil {
		return owned, Owner{c.Kind, c.Name}, true
	}
	if len(refs) > 0 {
		return owned, Owner{refs[0].Kind, refs[0].Name}, true
	}
	return owned, Owner{}, true
}

// WorkloadOf returns what kube_pod_workload reads of a Pod, and the objects of
// which it asks Owners; none where the Pod itself says all.
func WorkloadOf(o Object) (part Object, asks []Owned) {
	p, ok := o.(*pod)
	if !ok {
		return nil, nil
	}
	for i := range p.OwnerReferences {
		r := &p.OwnerReferences[i]
		_, told := ownerByName(p.Labels, r.Name)
		if r.Kind == "Job" || r.Kind == "ReplicaSet" && !told {
			asks = append(asks, Owned{r.Kind, p.Namespace, r.Name})
		}
	}
	if asks == nil {
		return nil, nil
	}
	return &pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: p.Namespace, Name: p.Name, UID: p.UID, Labels: p.Labels, OwnerReferences: p.OwnerReferences,
	}}, asks
}
