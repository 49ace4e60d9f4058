package kind

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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

// Workload is the end of a chain of owners: the values of the labels workload and
// workload_type.
type Workload struct{ Name, Type string }

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

func workloads(p *pod, of Owners, e *metric.Emitter) {
	if len(p.OwnerReferences) == 0 {
		e.Add(1, p.Name, "barepod")
	}
	// Two owners may lead to one workload. Pods have one owner, rarely two; beyond
	// eight workloads nothing is compared.
	var few [8]Workload
	n := 0
	for i := range p.OwnerReferences {
		w, ask := throughOwner(p, &p.OwnerReferences[i])
		if ask != (Owned{}) {
			owner, ok := of(ask)
			if !ok {
				continue
			}
			w = ask.Workload(owner)
		}
		if slices.Contains(few[:n], w) {
			continue
		}
		if n < len(few) {
			few[n] = w
			n++
		}
		e.Add(1, w.Name, w.Type)
	}
}

// throughOwner returns the workload to which an owner of a Pod leads or, where that
// depends on what owns the owner, the owner.
func throughOwner(p *pod, r *metav1.OwnerReference) (w Workload, ask Owned) {
	switch r.Kind {
	case "ReplicaSet":
		rs := Owned{r.Kind, p.Namespace, r.Name}
		if owner, told := ownerByHash(p.Labels, r.Name); told {
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

// OwnerOf returns an object of which Owners may be asked, and what owns it: the
// controller, else the first owner. It is not ok for objects whose name says all,
// and for other kinds than ReplicaSet and Job.
func OwnerOf(t *Table, o Object) (Owned, Owner, bool) {
	if t.Kind != "ReplicaSet" && t.Kind != "Job" {
		return Owned{}, Owner{}, false
	}
	if _, told := ownerByHash(o.GetLabels(), o.GetName()); told && t.Kind == "ReplicaSet" {
		return Owned{}, Owner{}, false
	}
	return Owned{t.Kind, o.GetNamespace(), o.GetName()}, mainOwner(o.GetOwnerReferences()), true
}

// mainOwner returns the controller, else the first owner.
func mainOwner(refs []metav1.OwnerReference) Owner {
	if r := mainReference(refs); r != nil {
		return Owner{r.Kind, r.Name}
	}
	return Owner{}
}

func mainReference(refs []metav1.OwnerReference) *metav1.OwnerReference {
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

// PodOwners is what kube_pod_workload reads of a Pod, without the Pod.
type PodOwners struct {
	UID    types.UID
	Owners []Owner
	Asks   []Owned                    // the objects of which Options.Owners is asked
	hashes *[len(hashLabels{})]string // values of hashLabels; nil if the Pod has none
}

// OwnersOf returns what kube_pod_workload reads of a Pod. It is not ok, and allocates
// nothing, where the Pod says by itself to which workloads it belongs.
func OwnersOf(o Object) (owners PodOwners, ok bool) {
	p, isPod := o.(*pod)
	if !isPod {
		return PodOwners{}, false
	}
	for i := range p.OwnerReferences {
		if _, ask := throughOwner(p, &p.OwnerReferences[i]); ask != (Owned{}) {
			owners.Asks = append(owners.Asks, ask)
		}
	}
	if owners.Asks == nil {
		return PodOwners{}, false
	}
	owners.UID = p.UID
	owners.Owners = make([]Owner, len(p.OwnerReferences))
	for i := range p.OwnerReferences {
		owners.Owners[i] = Owner{p.OwnerReferences[i].Kind, p.OwnerReferences[i].Name}
	}
	for i, c := range hashes() {
		if hash := p.Labels[c.hash]; hash != "" {
			if owners.hashes == nil {
				owners.hashes = new([len(hashLabels{})]string)
			}
			owners.hashes[i] = hash
		}
	}
	return owners, true
}

// Fill makes a Pod of a name what kube_pod_workload reads. The lists of the Pod are
// reused.
func (p *PodOwners) Fill(into Object, namespace, name string) {
	o, ok := into.(*pod)
	if !ok {
		return
	}
	o.Namespace, o.Name, o.UID, o.Labels = namespace, name, p.UID, nil
	o.OwnerReferences = o.OwnerReferences[:0]
	for _, owner := range p.Owners {
		o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{Kind: owner.Kind, Name: owner.Name})
	}
	if p.hashes == nil {
		return
	}
	o.Labels = map[string]string{}
	for i, c := range hashes() {
		o.Labels[c.hash] = p.hashes[i]
	}
}
