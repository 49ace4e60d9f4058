package kind

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type ingressClass = networkingv1.IngressClass

// IngressClasses is the table of networking.k8s.io/v1 IngressClass.
var IngressClasses = define(Kind[ingressClass]{
	Resource: Resource{Group: "networking.k8s.io", Version: "v1", Name: "ingressclasses", Kind: "IngressClass", NotDefault: true},
	Identity: labels{label("ingressclass", "name of the IngressClass")},
	Reads:    []string{"spec.controller"},
	Begin:    func(c *ingressClass, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Name) },
	Rows: []Row[ingressClass]{
		info("kube_ingressclass_info", alpha, "Controller of the IngressClass; always 1.",
			label("controller", "name of the controller that serves Ingresses of the class"),
			func(c *ingressClass) string { return c.Spec.Controller }),
		timestamp("kube_ingressclass_created", alpha, "When the IngressClass was created, in Unix seconds.",
			func(c *ingressClass) *metav1.Time { return &c.CreationTimestamp }),
		annotationsOf("kube_ingressclass_annotations", alpha, "IngressClass annotations selected by --metric-annotations-allowlist.",
			func(c *ingressClass) map[string]string { return c.Annotations }),
		labelsOf("kube_ingressclass_labels", alpha, "IngressClass labels selected by --metric-labels-allowlist.",
			func(c *ingressClass) map[string]string { return c.Labels }),
	},
})
