package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type service = corev1.Service

// Services is the table of v1 Service.
var Services = define(Kind[service]{
	Resource: Resource{Version: "v1", Name: "services", Kind: "Service", Namespaced: true},
	Identity: labels{namespace, label("service", "name of the Service"), uid},
	Reads: []string{
		"spec.{type,clusterIP,externalIPs,externalName,externalTrafficPolicy,loadBalancerIP}",
		"status.loadBalancer.ingress.{ip,hostname}",
	},
	Begin: func(v *service, e *metric.Emitter, s *metric.Schema) { e.Begin(s, v.Namespace, v.Name, string(v.UID)) },
	Rows: []Row[service]{
		each("kube_service_info", stable, "Addresses of the Service and how traffic from outside reaches it; always 1.", labels{
			label("cluster_ip", "first IP address of the Service inside the cluster; None if it has none by choice"),
			label("external_name", "DNS name that the Service stands for"),
			label("load_balancer_ip", "IP address that the spec asks of the load balancer"),
			label("external_traffic_policy", "whether traffic from outside stays on its Node: Local or Cluster"),
		}, func(v *service, e *metric.Emitter) {
			e.Add(1, v.Spec.ClusterIP, v.Spec.ExternalName, v.Spec.LoadBalancerIP, string(v.Spec.ExternalTrafficPolicy))
		}),
		timestamp("kube_service_created", stable, "When the Service was created, in Unix seconds.",
			func(v *service) *metav1.Time { return &v.CreationTimestamp }),
		info("kube_service_spec_type", stable, "Type of the Service; always 1.",
			label("type", "the type: ClusterIP, NodePort, LoadBalancer or ExternalName"),
			func(v *service) string { return string(v.Spec.Type) }),
		annotationsOf("kube_service_annotations", alpha, "Service annotations selected by --metric-annotations-allowlist.",
			func(v *service) map[string]string { return v.Annotations }),
		labelsOf("kube_service_labels", stable, "Service labels selected by --metric-labels-allowlist.",
			func(v *service) map[string]string { return v.Labels }),
		each("kube_service_spec_external_ip", stable, "One series of value 1 per external IP address of the Service.",
			labels{label("external_ip", "IP address that brings traffic to the Nodes by other means than Kubernetes")},
			func(v *service, e *metric.Emitter) {
				for _, ip := range v.Spec.ExternalIPs {
					e.Add(1, ip)
				}
			}),
		each("kube_service_status_load_balancer_ingress", stable, "One series of value 1 per address of the load balancer.", labels{
			label("ip", "IP address, of load balancers that have one"),
			label("hostname", "DNS name, of load balancers that have one"),
		}, func(v *service, e *metric.Emitter) {
			for i := range v.Status.LoadBalancer.Ingress {
				b := &v.Status.LoadBalancer.Ingress[i]
				e.Add(1, b.IP, b.Hostname)
			}
		}),
		timestamp("kube_service_deletion_timestamp", alpha, "When the deletion of the Service was asked for, in Unix seconds.",
			func(v *service) *metav1.Time { return v.DeletionTimestamp }),
		beyond(each("kube_service_status_load_balancer_addresses", alpha, "Addresses of the load balancer, 0 while it has none; absent unless the Service is of type LoadBalancer.", nil,
			func(v *service, e *metric.Emitter) {
				if v.Spec.Type == corev1.ServiceTypeLoadBalancer {
					e.Add(float64(len(v.Status.LoadBalancer.Ingress)))
				}
			})),
	},
})
