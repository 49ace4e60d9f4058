package kind

import (
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type endpointSlice = discoveryv1.EndpointSlice

var endpointAddress = label("address", "IP address or, if the label addresstype says so, DNS name")

// EndpointSlices is the table of discovery.k8s.io/v1 EndpointSlice.
var EndpointSlices = define(Kind[endpointSlice]{
	Resource: Resource{Group: "discovery.k8s.io", Version: "v1", Name: "endpointslices", Kind: "EndpointSlice", Namespaced: true},
	Identity: labels{label("endpointslice", "name of the EndpointSlice"), namespace},
	Reads: []string{
		"addressType",
		"endpoints.{addresses,conditions,hints,hostname,nodeName,zone}",
		"endpoints.targetRef.{kind,namespace,name}",
		"ports",
	},
	Begin: func(p *endpointSlice, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Name, p.Namespace) },
	Rows: []Row[endpointSlice]{
		info("kube_endpointslice_info", alpha, "What the addresses of the EndpointSlice are; always 1.",
			label("addresstype", "type of the addresses: IPv4, IPv6 or FQDN"),
			func(p *endpointSlice) string { return string(p.AddressType) }),
		timestamp("kube_endpointslice_created", alpha, "When the EndpointSlice was created, in Unix seconds.",
			func(p *endpointSlice) *metav1.Time { return &p.CreationTimestamp }),
		each("kube_endpointslice_endpoints_hints", alpha, "One series of value 1 per endpoint and zone that had better use it.",
			labels{endpointAddress, label("for_zone", "name of the zone")}, endpointHints),
		each("kube_endpointslice_endpoints", alpha, "One series of value 1 per address of an endpoint.", labels{
			label("ready", "whether the endpoint takes new connections: true, false or empty for not known"),
			label("serving", "whether the endpoint answers, be it terminating or not: true, false or empty for not known"),
			label("hostname", "host name of the endpoint"),
			label("terminating", "whether the endpoint is being shut down: true, false or empty for not known"),
			label("targetref_kind", "kind of the object behind the endpoint"),
			label("targetref_name", "name of the object behind the endpoint"),
			label("targetref_namespace", "namespace of the object behind the endpoint"),
			label("endpoint_nodename", "name of the Node that the endpoint is on"),
			label("endpoint_zone", "name of the zone that the endpoint is in"),
			endpointAddress,
		}, sliceEndpoints),
		each("kube_endpointslice_ports", alpha, "One series of value 1 per port of the EndpointSlice.",
			labels{portName, portProtocol, portNumber}, slicePorts),
		annotationsOf("kube_endpointslice_annotations", alpha, "EndpointSlice annotations selected by --metric-annotations-allowlist.",
			func(p *endpointSlice) map[string]string { return p.Annotations }),
		labelsOf("kube_endpointslice_labels", alpha, "EndpointSlice labels selected by --metric-labels-allowlist.",
			func(p *endpointSlice) map[string]string { return p.Labels }),
		beyond(each("kube_endpointslice_service_endpoints", alpha, "Endpoints of a zone that are in a condition, of an EndpointSlice that is of a Service.", labels{
			label("service", "name of the Service"),
			label("addresstype", "type of the addresses: IPv4, IPv6 or FQDN"),
			label("condition", "ready, serving or terminating; an endpoint may be in several"),
			label("zone", "name of the zone; empty if it is not known, and in an EndpointSlice without endpoints"),
		}, serviceEndpoints).Reading(labelsField)),
	},
})

// endpointHints identifies an endpoint by its first address.
func endpointHints(p *endpointSlice, e *metric.Emitter) {
	for i := range p.Endpoints {
		endpoint := &p.Endpoints[i]
		if endpoint.Hints == nil || len(endpoint.Addresses) == 0 {
			continue
		}
		for j := range endpoint.Hints.ForZones {
			e.Add(1, endpoint.Addresses[0], endpoint.Hints.ForZones[j].Name)
		}
	}
}

func sliceEndpoints(p *endpointSlice, e *metric.Emitter) {
	for i := range p.Endpoints {
		endpoint := &p.Endpoints[i]
		c := &endpoint.Conditions
		var kind, name, namespace string
		if t := endpoint.TargetRef; t != nil {
			kind, name, namespace = t.Kind, t.Name, t.Namespace
		}
		for _, address := range endpoint.Addresses {
			e.Add(1, optionalBool(c.Ready), optionalBool(c.Serving), valueOr(endpoint.Hostname, ""), optionalBool(c.Terminating),
				kind, name, namespace, valueOr(endpoint.NodeName, ""), valueOr(endpoint.Zone, ""), address)
		}
	}
}

func slicePorts(p *endpointSlice, e *metric.Emitter) {
	for i := range p.Ports {
		port := &p.Ports[i]
		var number string
		if port.Port != nil {
			number = e.Int(int64(*port.Port))
		}
		e.Add(1, valueOr(port.Name, ""), string(valueOr(port.Protocol, "")), number)
	}
}

// serviceEndpoints emits one sample per zone and condition: the number of endpoints, which
// may be 0.
func serviceEndpoints(p *endpointSlice, e *metric.Emitter) {
	service := p.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		return
	}
	if len(p.Endpoints) == 0 {
		zoneEndpoints(p, nil, "", service, e)
	}
	for i := range p.Endpoints {
		zone := valueOr(p.Endpoints[i].Zone, "")
		inZone := func(q discoveryv1.Endpoint) bool { return valueOr(q.Zone, "") == zone }
		if !slices.ContainsFunc(p.Endpoints[:i], inZone) {
			zoneEndpoints(p, p.Endpoints[i:], zone, service, e)
		}
	}
}

// zoneEndpoints counts the endpoints of a zone by condition. By default an endpoint is
// ready and serving, and not terminating.
func zoneEndpoints(p *endpointSlice, endpoints []discoveryv1.Endpoint, zone, service string, e *metric.Emitter) {
	var ready, serving, terminating float64
	for i := range endpoints {
		if valueOr(endpoints[i].Zone, "") != zone {
			continue
		}
		c := &endpoints[i].Conditions
		ready += metric.Float(valueOr(c.Ready, true))
		serving += metric.Float(valueOr(c.Serving, true))
		terminating += metric.Float(valueOr(c.Terminating, false))
	}
	e.Add(ready, service, string(p.AddressType), "ready", zone)
	e.Add(serving, service, string(p.AddressType), "serving", zone)
	e.Add(terminating, service, string(p.AddressType), "terminating", zone)
}
