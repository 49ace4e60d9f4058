package kind

import (
	"slices"

	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/metric"
)

// Owners returns the owner of a ReplicaSet or Job: the kind and name of its controller, or
// otherwise of its first owner; both are empty if it has none. ok is false while the object
// is unknown; until then its Pods have no workload. Owners is called concurrently and must
// not allocate.
type Owners func(kind, namespace, name string) (ownerKind, ownerName string, ok bool)

// podWorkload is the row kube_pod_workload. Without Options.Owners the chain ends at the
// owner of the Pod.
func podWorkload() Row[pod] {
	r := beyond(each("kube_pod_workload", alpha, "One series of value 1 per owner of the Pod, with the workload at the end of the chain of owners.", labels{
		label("workload", "name of the workload; that of the Pod if nothing owns it"),
		label("workload_type", "deployment, replicaset, statefulset, daemonset, job, barepod, staticpod, or the kind of any other owner, such as CronJob"),
	}, func(*pod, *metric.Emitter) {}))
	r.bind = func(o Options) func(*pod, *metric.Emitter) {
		of := o.Owners
		if of == nil {
			of = func(_, _, _ string) (string, string, bool) { return "", "", true }
		}
		return func(p *pod, e *metric.Emitter) { workloads(p, of, e) }
	}
	return r.Reading(workload.Reads()...)
}

func workloads(p *pod, of Owners, e *metric.Emitter) {
	if len(p.OwnerReferences) == 0 {
		e.Add(1, p.Name, "barepod")
	}
	// Two owners may have the same workload. Pods have one owner, rarely two; only the
	// first eight workloads are deduplicated.
	var few [8]workload.Workload
	n := 0
	for i := range p.OwnerReferences {
		w, ask := workload.Through(p, &p.OwnerReferences[i])
		if ask != (workload.Owned{}) {
			kind, name, ok := of(ask.Kind, ask.Namespace, ask.Name)
			if !ok {
				continue
			}
			w = ask.Workload(workload.Owner{Kind: kind, Name: name})
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
