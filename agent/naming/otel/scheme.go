// Package otel has the naming scheme that follows the OpenTelemetry semantic conventions for
// Kubernetes. It is data; package agent applies it, and package otlp sends the series.
//
// scheme.go has entities and labels; the metrics are in pods.go, workloads.go, quotas.go and
// cluster.go. Where a convention leaves a choice, docs/agent-otel.md documents it.
package otel

import (
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
)

// Conventions is the version of the semantic conventions that Scheme follows.
const Conventions = "1.44.0"

// Scheme returns the naming scheme. The caller may change it before use.
func Scheme() *naming.Scheme {
	return &naming.Scheme{
		Name:  "otel",
		Doc:   "k8s.* as the semantic conventions of OpenTelemetry " + Conventions + " have it, entities as resource attributes.",
		Rules: slices.Concat(podRules(), containerRules(), workloadRules(), autoscalerRules(), quotaRules(), clusterRules()),
		Aggregates: []naming.Aggregate{{
			Family: "kube_endpointslice_service_endpoints", Metric: "k8s.service.endpoint.count",
			Op: naming.Sum, By: []string{"namespace", "service", "addresstype", "condition", "zone"},
			Type: naming.Gauge, Unit: "{endpoint}", Help: "Endpoints of the Service that are in a condition, by zone.",
		}},
		Joins:  joins(),
		Labels: labels(),
		Overrides: []naming.Override{{Prefix: "kube_endpointslice_", Tags: map[string]string{
			"addresstype": "k8s.service.endpoint.address_type",
			"condition":   "k8s.service.endpoint.condition",
			"zone":        "k8s.service.endpoint.zone",
		}}},
		Owners: &naming.Owners{Tags: map[string]string{
			"CronJob":               "k8s.cronjob.name",
			"DaemonSet":             "k8s.daemonset.name",
			"Deployment":            "k8s.deployment.name",
			"Job":                   "k8s.job.name",
			"ReplicaSet":            "k8s.replicaset.name",
			"ReplicationController": "k8s.replicationcontroller.name",
			"StatefulSet":           "k8s.statefulset.name",
		}},
		ClusterNameTag: "k8s.cluster.name",
		ClusterIDTag:   "k8s.cluster.uid",
		Entities:       entities(),
	}
}

// labels maps labels of all families to attributes.
func labels() map[string]string {
	return map[string]string{
		"container":                  "k8s.container.name",
		"cronjob":                    "k8s.cronjob.name",
		"daemonset":                  "k8s.daemonset.name",
		"deployment":                 "k8s.deployment.name",
		"horizontalpodautoscaler":    "k8s.hpa.name",
		"job_name":                   "k8s.job.name",
		"namespace":                  "k8s.namespace.name",
		"node":                       "k8s.node.name",
		"persistentvolume":           "k8s.persistentvolume.name",
		"persistentvolumeclaim":      "k8s.persistentvolumeclaim.name",
		"pod":                        "k8s.pod.name",
		"replicaset":                 "k8s.replicaset.name",
		"replicationcontroller":      "k8s.replicationcontroller.name",
		"resourcequota":              "k8s.resourcequota.name",
		"scaletargetref_api_version": "k8s.hpa.scaletargetref.api_version",
		"scaletargetref_kind":        "k8s.hpa.scaletargetref.kind",
		"scaletargetref_name":        "k8s.hpa.scaletargetref.name",
		"service":                    "k8s.service.name",
		"statefulset":                "k8s.statefulset.name",
		"storageclass":               "k8s.storageclass.name",
	}
}

// joins add attributes of an entity that are in another family. EndpointSlices get the UID
// and type of their Service.
func joins() map[string]naming.Join {
	return map[string]naming.Join{
		"kube_pod_info":         {Match: []string{"namespace", "pod"}, Get: []string{"node", "created_by_kind", "created_by_name"}},
		"kube_replicaset_owner": {Match: []string{"namespace", "replicaset"}, Get: []string{"owner_kind", "owner_name"}},
		"kube_job_owner":        {Match: []string{"namespace", "job_name"}, Get: []string{"owner_kind", "owner_name"}},
		"kube_horizontalpodautoscaler_info": {
			Match: []string{"namespace", "horizontalpodautoscaler"},
			Get:   []string{"scaletargetref_api_version", "scaletargetref_kind", "scaletargetref_name"},
		},
		"kube_persistentvolume_info":      {Match: []string{"persistentvolume"}, Get: []string{"storageclass"}},
		"kube_persistentvolumeclaim_info": {Match: []string{"namespace", "persistentvolumeclaim"}, Get: []string{"storageclass"}},
		"kube_service_spec_type": {
			Match: []string{"namespace", "service"},
			Tags:  map[string]string{"uid": "k8s.service.uid", "type": "k8s.service.type"},
		},
	}
}

// entities lists the attributes that identify and describe an object.
func entities() []naming.Entity {
	service := []string{"k8s.namespace.name", "k8s.service.name", "k8s.service.uid", "k8s.service.type"}
	return []naming.Entity{
		entity("pods", "k8s.pod.uid", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "k8s.node.name",
			"k8s.cronjob.name", "k8s.daemonset.name", "k8s.deployment.name", "k8s.job.name", "k8s.replicaset.name",
			"k8s.replicationcontroller.name", "k8s.statefulset.name"),
		entity("nodes", "k8s.node.uid", "k8s.node.name"),
		entity("namespaces", "", "k8s.namespace.name"), // identified by its name
		entity("deployments", "k8s.deployment.uid", "k8s.namespace.name", "k8s.deployment.name"),
		entity("replicasets", "k8s.replicaset.uid", "k8s.namespace.name", "k8s.replicaset.name", "k8s.deployment.name"),
		entity("replicationcontrollers", "k8s.replicationcontroller.uid", "k8s.namespace.name", "k8s.replicationcontroller.name"),
		entity("statefulsets", "k8s.statefulset.uid", "k8s.namespace.name", "k8s.statefulset.name"),
		entity("daemonsets", "k8s.daemonset.uid", "k8s.namespace.name", "k8s.daemonset.name"),
		entity("jobs", "k8s.job.uid", "k8s.namespace.name", "k8s.job.name", "k8s.cronjob.name"),
		entity("cronjobs", "k8s.cronjob.uid", "k8s.namespace.name", "k8s.cronjob.name"),
		entity("horizontalpodautoscalers", "k8s.hpa.uid", "k8s.namespace.name", "k8s.hpa.name",
			"k8s.hpa.scaletargetref.api_version", "k8s.hpa.scaletargetref.kind", "k8s.hpa.scaletargetref.name"),
		entity("resourcequotas", "k8s.resourcequota.uid", "k8s.namespace.name", "k8s.resourcequota.name"),
		entity("services", "k8s.service.uid", service...),
		entity("endpointslices", "", service...), // their series describe the Service
		entity("persistentvolumes", "k8s.persistentvolume.uid", "k8s.persistentvolume.name", "k8s.storageclass.name"),
		entity("persistentvolumeclaims", "k8s.persistentvolumeclaim.uid",
			"k8s.namespace.name", "k8s.persistentvolumeclaim.name", "k8s.storageclass.name"),
	}
}

// entity returns the entity of a resource in a cluster.
func entity(resource, uid string, tags ...string) naming.Entity {
	return naming.Entity{Resource: resource, UID: uid, Tags: append([]string{"k8s.cluster.name", "k8s.cluster.uid"}, tags...)}
}

// upDown returns a rule for an UpDownCounter: values of several objects can be added up.
func upDown(metric, unit, family, help string) naming.Rule {
	return naming.Rule{Family: family, Metric: metric, Type: naming.UpDown, Unit: unit, Help: help}
}

// renamed returns the rule with a label of its family renamed to an attribute.
func renamed(r naming.Rule, label, attribute string) naming.Rule {
	if r.Rename == nil {
		r.Rename = map[string]string{}
	}
	r.Rename[label] = attribute
	return r
}

// where returns the rule for samples whose label has one of these values, and drops the
// label.
func where(r naming.Rule, label string, values ...string) naming.Rule {
	if r.Where == nil {
		r.Where = map[string][]string{}
	}
	r.Where[label] = values
	r.Drop = append(r.Drop, label)
	return r
}
