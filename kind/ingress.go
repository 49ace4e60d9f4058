package kind

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type ingress = networkingv1.Ingress

// The labels of kube_ingress_path for a resource backend. For a Service backend,
// service_name and service_port replace the last three.
var (
	ingressHost     = label("host", "host that requests name; empty for any")
	ingressPathText = label("path", "path that requests name")
	ingressPathType = label("path_type", "how the path is compared: Exact, Prefix or ImplementationSpecific")
	backendGroup    = label("resource_api_group", "API group of the backend; empty for the core group")
	backendKind     = label("resource_kind", "kind of the backend")
	backendName     = label("resource_name", "name of the backend")
)

// Ingresses is the table of networking.k8s.io/v1 Ingress.
var Ingresses = define(Kind[ingress]{
	Resource: Resource{Group: "networking.k8s.io", Version: "v1", Name: "ingresses", Kind: "Ingress", Namespaced: true},
	Identity: labels{namespace, label("ingress", "name of the Ingress")},
	Reads:    []string{"metadata.annotations", "spec.{ingressClassName,rules,tls}"},
	Begin:    func(i *ingress, e *metric.Emitter, s *metric.Schema) { e.Begin(s, i.Namespace, i.Name) },
	Rows: []Row[ingress]{
		info("kube_ingress_info", stable, "Class of the Ingress; always 1.",
			label("ingressclass", "what the annotation kubernetes.io/ingress.class says, else the name of the IngressClass; _default if the Ingress has neither"),
			ingressClassOf),
		annotationsOf("kube_ingress_annotations", alpha, "Ingress annotations selected by --metric-annotations-allowlist.",
			func(i *ingress) map[string]string { return i.Annotations }),
		labelsOf("kube_ingress_labels", stable, "Ingress labels selected by --metric-labels-allowlist.",
			func(i *ingress) map[string]string { return i.Labels }),
		timestamp("kube_ingress_created", stable, "When the Ingress was created, in Unix seconds.",
			func(i *ingress) *metav1.Time { return &i.CreationTimestamp }),
		resourceVersion("kube_ingress_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the Ingress.",
			func(i *ingress) string { return i.ResourceVersion }),
		each("kube_ingress_path", stable, "One series of value 1 per path, with labels service_name and service_port where its backend is a Service, and those of a resource otherwise.",
			labels{ingressHost, ingressPathText, ingressPathType, backendGroup, backendKind, backendName}, ingressPaths),
		each("kube_ingress_tls", stable, "One series of value 1 per host that the Ingress serves with TLS.", labels{
			label("tls_host", "the host"),
			label("secret", "name of the Secret that holds certificate and key"),
		}, ingressTLS),
	},
})

func ingressClassOf(i *ingress) string {
	if class, ok := i.Annotations["kubernetes.io/ingress.class"]; ok {
		return class
	}
	return valueOr(i.Spec.IngressClassName, "_default")
}

func ingressPaths(i *ingress, e *metric.Emitter) {
	for j := range i.Spec.Rules {
		rule := &i.Spec.Rules[j]
		if rule.HTTP == nil {
			continue
		}
		for k := range rule.HTTP.Paths {
			ingressPath(rule.Host, &rule.HTTP.Paths[k], e)
		}
	}
}

// ingressPath emits the sample of a path. For a backend that is neither a Service nor a
// resource, which the API rejects, the labels of a resource are empty.
func ingressPath(host string, p *networkingv1.HTTPIngressPath, e *metric.Emitter) {
	e.Label(ingressHost.Name, host)
	e.Label(ingressPathText.Name, p.Path)
	e.Label(ingressPathType.Name, string(valueOr(p.PathType, "")))
	if service := p.Backend.Service; service != nil {
		e.Label("service_name", service.Name)
		e.Label("service_port", servicePort(service.Port, e))
	} else {
		resource := valueOr(p.Backend.Resource, corev1.TypedLocalObjectReference{})
		e.Label(backendGroup.Name, valueOr(resource.APIGroup, ""))
		e.Label(backendKind.Name, resource.Kind)
		e.Label(backendName.Name, resource.Name)
	}
	e.AddLabeled(1)
}

// servicePort returns the name of a port, or its number if it has no name.
func servicePort(p networkingv1.ServiceBackendPort, e *metric.Emitter) string {
	if p.Number == 0 && p.Name != "" {
		return p.Name
	}
	return e.Int(int64(p.Number))
}

func ingressTLS(i *ingress, e *metric.Emitter) {
	for j := range i.Spec.TLS {
		t := &i.Spec.TLS[j]
		for _, host := range t.Hosts {
			e.Add(1, host, t.SecretName)
		}
	}
}
