package cluster

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// application makes what a workload that serves requests brings along: a
// Service, its EndpointSlice, a ConfigMap, Secrets and sometimes an Ingress.
func (g *generator) application(namespace, app string, pods *corev1.PodSpec, t tally) error {
	service := g.service(namespace, app)
	if err := g.put(service, "helm", "kube-controller-manager", "v1", nil); err != nil {
		return err
	}
	if err := g.put(g.endpointSlice(service, t.endpoints), "kube-controller-manager", "", "discovery.k8s.io/v1", nil); err != nil {
		return err
	}
	if err := g.put(g.configMap(namespace, app), "helm", "", "v1", nil); err != nil {
		return err
	}
	if err := g.secrets(namespace, app, pods); err != nil {
		return err
	}
	if !g.chance(ingressShare) {
		return nil
	}
	return g.ingress(service)
}

// ingressShare is the part of Services that are reached from outside.
const ingressShare = 0.15

// ingress makes an Ingress and the Secret with its certificate.
func (g *generator) ingress(service *corev1.Service) error {
	host, secret := service.Name+"."+service.Namespace+".example.com", service.Name+"-tls"
	ingress := &networkingv1.Ingress{
		ObjectMeta: g.meta(service.Namespace, service.Name, service.CreationTimestamp, service.Labels),
		Spec: networkingv1.IngressSpec{
			IngressClassName: new("nginx"),
			TLS:              []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: secret}},
			Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
					Path: "/", PathType: new(networkingv1.PathTypePrefix),
					Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
						Name: service.Name, Port: networkingv1.ServiceBackendPort{Name: "http"}}}}}}}}},
		},
		Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{
			Ingress: []networkingv1.IngressLoadBalancerIngress{{Hostname: "lb.example.com"}}}},
	}
	if err := g.put(ingress, "helm", "nginx-ingress-controller", "networking.k8s.io/v1", nil); err != nil {
		return err
	}
	return g.secret(service.Namespace, secret, service.Name, corev1.SecretTypeTLS, map[string][]byte{
		corev1.TLSCertKey: g.blob(3600), corev1.TLSPrivateKeyKey: g.blob(1700)})
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
