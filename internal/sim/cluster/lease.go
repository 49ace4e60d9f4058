package cluster

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leases makes the heartbeat of every node and the locks of the control plane.
func (g *generator) leases() error {
	for _, node := range g.nodeNames {
		if err := g.lease("kube-node-lease", node, node); err != nil {
			return err
		}
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		if err := g.lease("kube-system", name, g.nodeNames[0]+"_"+string(g.uid())); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) lease(namespace, name, holder string) error {
	renewed := metav1.NewMicroTime(g.Time.Add(-g.between(0, 10*time.Second)))
	lease := &coordinationv1.Lease{
		ObjectMeta: g.meta(namespace, name, g.ago(g.between(24*time.Hour, 90*24*time.Hour)), nil),
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: new(int32(40)), RenewTime: &renewed},
	}
	return g.put(lease, "kubelet", "", "coordination.k8s.io/v1", nil)
}
