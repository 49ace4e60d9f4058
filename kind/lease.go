package kind

import (
	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/kubestate/kubestate/metric"
)

type lease = coordinationv1.Lease

// Leases is the table of coordination.k8s.io/v1 Lease.
var Leases = define(Kind[lease]{
	Resource: Resource{Group: "coordination.k8s.io", Version: "v1", Name: "leases", Kind: "Lease", Namespaced: true},
	Identity: labels{label("lease", "name of the Lease")},
	Reads:    []string{"metadata.ownerReferences", "spec.{holderIdentity,renewTime}"},
	Begin:    func(l *lease, e *metric.Emitter, s *metric.Schema) { e.Begin(s, l.Name) },
	Rows: []Row[lease]{
		each("kube_lease_owner", alpha, "One series per owner reference, or one with empty owner labels; always 1.",
			labels{ownerKind, ownerName, namespace, label("lease_holder", "who holds the Lease; empty if nobody does")}, leaseOwners),
		each("kube_lease_renew_time", alpha, "When the holder last renewed the Lease, in Unix seconds.", labels{namespace},
			func(l *lease, e *metric.Emitter) {
				if t := l.Spec.RenewTime; t != nil {
					addTime(t.Time, e, l.Namespace)
				}
			}),
	},
})

// leaseOwners differs from owners in its labels: it has the holder instead of
// owner_is_controller, and the namespace, which is not an identity label.
func leaseOwners(l *lease, e *metric.Emitter) {
	holder := valueOr(l.Spec.HolderIdentity, "")
	if len(l.OwnerReferences) == 0 {
		e.Add(1, "", "", l.Namespace, holder)
	}
	for i := range l.OwnerReferences {
		o := &l.OwnerReferences[i]
		e.Add(1, o.Kind, o.Name, l.Namespace, holder)
	}
}
