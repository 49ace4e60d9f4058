package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type endpoints = corev1.Endpoints //nolint:staticcheck // the API is deprecated, but clusters still serve it

// Endpoints is the table of v1 Endpoints.
var Endpoints = define(Kind[endpoints]{
	Resource: Resource{Version: "v1", Name: "endpoints", Kind: "Endpoints", Namespaced: true, NotDefault: true},
	Identity: labels{namespace, label("endpoint", "name of the Endpoints")},
	Reads:    []string{"subsets.{addresses,notReadyAddresses}.ip", "subsets.ports"},
	Begin:    func(p *endpoints, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Namespace, p.Name) },
	Rows: []Row[endpoints]{
		exists[endpoints]("kube_endpoint_info", stable, "One series per Endpoints object; always 1."),
		timestamp("kube_endpoint_created", stable, "When the Endpoints were created, in Unix seconds.",
			func(p *endpoints) *metav1.Time { return &p.CreationTimestamp }),
		annotationsOf("kube_endpoint_annotations", alpha, "Endpoints annotations selected by --metric-annotations-allowlist.",
			func(p *endpoints) map[string]string { return p.Annotations }),
		labelsOf("kube_endpoint_labels", stable, "Endpoints labels selected by --metric-labels-allowlist.",
			func(p *endpoints) map[string]string { return p.Labels }),
		each("kube_endpoint_address", stable, "One series of value 1 per port and address of the Endpoints.", labels{
			portProtocol, portNumber, portName,
			label("ip", "IP address"),
			label("ready", "whether the address is ready to take traffic: true or false"),
		}, endpointAddresses),
		deprecated("v2.14.0", each("kube_endpoint_ports", stable, "One series of value 1 per port of the Endpoints.",
			labels{portName, portProtocol, portNumber}, endpointPorts)),
	},
})

// endpointAddresses emits one sample for each port on each address of a subset.
func endpointAddresses(p *endpoints, e *metric.Emitter) {
	for i := range p.Subsets {
		s := &p.Subsets[i]
		for j := range s.Ports {
			port := &s.Ports[j]
			number := e.Int(int64(port.Port))
			for k := range s.Addresses {
				e.Add(1, string(port.Protocol), number, port.Name, s.Addresses[k].IP, metric.Bool(true))
			}
			for k := range s.NotReadyAddresses {
				e.Add(1, string(port.Protocol), number, port.Name, s.NotReadyAddresses[k].IP, metric.Bool(false))
			}
		}
	}
}

func endpointPorts(p *endpoints, e *metric.Emitter) {
	for i := range p.Subsets {
		s := &p.Subsets[i]
		for j := range s.Ports {
			port := &s.Ports[j]
			e.Add(1, port.Name, string(port.Protocol), e.Int(int64(port.Port)))
		}
	}
}
