package sim

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// application makes what a workload that serves requests brings along: a
// Service, its EndpointSlice and a ConfigMap.
func (g *generator) application(namespace, app string, t tally) error {
	service := g.service(namespace, app)
	if err := g.put(service, "helm", "kube-controller-manager", "v1", nil); err != nil {
		return err
	}
	if err := g.put(g.endpointSlice(service, t.endpoints), "kube-controller-manager", "", "discovery.k8s.io/v1", nil); err != nil {
		return err
	}
	return g.put(g.configMap(namespace, app), "helm", "", "v1", nil)
}

func (g *generator) service(namespace, app string) *corev1.Service {
	ip := g.address()
	return &corev1.Service{
		ObjectMeta: g.meta(namespace, app, g.ago(g.between(0, 1000*time.Hour)), selectorOf(app)),
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: ip, ClusterIPs: []string{ip},
			Ports:           []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80, TargetPort: intstr.FromString("http")}},
			Selector:        selectorOf(app),
			SessionAffinity: corev1.ServiceAffinityNone,
			IPFamilies:      []corev1.IPFamily{corev1.IPv4Protocol}, IPFamilyPolicy: new(corev1.IPFamilyPolicySingleStack),
			InternalTrafficPolicy: new(corev1.ServiceInternalTrafficPolicyCluster),
		},
	}
}

func (g *generator) endpointSlice(service *corev1.Service, endpoints []endpoint) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: g.meta(service.Namespace, service.Name+"-"+g.suffix(5), service.CreationTimestamp, map[string]string{
			discoveryv1.LabelServiceName: service.Name, discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io"}),
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Protocol: new(corev1.ProtocolTCP), Port: new(int32(8080))}},
	}
	slice.OwnerReferences = []metav1.OwnerReference{*controller("v1", "Service", service)}
	for _, e := range endpoints {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{e.ip},
			Conditions: discoveryv1.EndpointConditions{Ready: new(e.ready), Serving: new(e.ready), Terminating: new(false)},
			TargetRef:  e.pod,
			NodeName:   new(e.node),
		})
	}
	return slice
}

func (g *generator) configMap(namespace, app string) *corev1.ConfigMap {
	line := "upstream: " + app + "." + namespace + ".svc.cluster.local # " + g.suffix(20) + "\n"
	return &corev1.ConfigMap{
		ObjectMeta: g.meta(namespace, app+"-config", g.ago(g.between(0, 1000*time.Hour)), selectorOf(app)),
		Data:       map[string]string{"config.yaml": strings.Repeat(line, 1+g.rand.IntN(40))},
	}
}
