package kind

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type networkPolicy = networkingv1.NetworkPolicy

// NetworkPolicies is the table of networking.k8s.io/v1 NetworkPolicy.
var NetworkPolicies = define(Kind[networkPolicy]{
	Resource: Resource{Group: "networking.k8s.io", Version: "v1", Name: "networkpolicies", Kind: "NetworkPolicy", Namespaced: true},
	Identity: labels{namespace, label("networkpolicy", "name of the NetworkPolicy")},
	Reads:    []string{"spec.{ingress,egress}"},
	Begin:    func(n *networkPolicy, e *metric.Emitter, s *metric.Schema) { e.Begin(s, n.Namespace, n.Name) },
	Rows: []Row[networkPolicy]{
		timestamp("kube_networkpolicy_created", alpha, "When the NetworkPolicy was created, in Unix seconds.",
			func(n *networkPolicy) *metav1.Time { return &n.CreationTimestamp }),
		annotationsOf("kube_networkpolicy_annotations", alpha, "NetworkPolicy annotations selected by --metric-annotations-allowlist.",
			func(n *networkPolicy) map[string]string { return n.Annotations }),
		labelsOf("kube_networkpolicy_labels", alpha, "NetworkPolicy labels selected by --metric-labels-allowlist.",
			func(n *networkPolicy) map[string]string { return n.Labels }),
		gauge("kube_networkpolicy_spec_ingress_rules", alpha, "Rules of the NetworkPolicy for traffic to Pods.",
			func(n *networkPolicy) int64 { return int64(len(n.Spec.Ingress)) }),
		gauge("kube_networkpolicy_spec_egress_rules", alpha, "Rules of the NetworkPolicy for traffic from Pods.",
			func(n *networkPolicy) int64 { return int64(len(n.Spec.Egress)) }),
	},
})
