package otel

import (
	"github.com/kubestate/kubestate/agent/naming"
)

// classSuffix follows the name of a StorageClass in the resource of a quota for that class.
const classSuffix = ".storageclass.storage.k8s.io/"

// quotaRules returns the rules for ResourceQuotas: limits (hard) and usage (used).
func quotaRules() []naming.Rule {
	var rules []naming.Rule
	for _, q := range []struct{ kind, help string }{{"hard", "may be in the namespace"}, {"used", "are in the namespace"}} {
		rules = append(rules, computeQuotas(q.kind)...)
		rules = append(rules, storageQuotas(q.kind)...)
		objects := quota("k8s.resourcequota.object_count.", q.kind, "{object}", "kube_resourcequota", "Objects of a sort that "+q.help+".")
		objects = where(objects, "resource", "count/*", "pods", "services", "services.loadbalancers", "services.nodeports",
			"configmaps", "secrets", "replicationcontrollers", "resourcequotas")
		objects.Drop = []string{"type"} // the resource is an attribute
		rules = append(rules, renamed(objects, "resource", "k8s.resourcequota.resource_name"))
	}
	return rules
}

func computeQuotas(of string) []naming.Rule {
	const all, requests = "kube_resourcequota", "kube_resourcequota_requests"
	limit, request := "Sum of the limits of all containers that the quota allows", "Sum of the requests of all containers that the quota allows"
	if of == "used" {
		limit, request = "Sum of the limits of all containers", "Sum of the requests of all containers"
	}
	pages := quota("k8s.resourcequota.hugepage_count.request.", of, "{hugepage}", "kube_resourcequota_hugepages", request+" for huge pages of a size.")
	return []naming.Rule{
		where(quota("k8s.resourcequota.cpu.limit.", of, "{cpu}", all, limit+" for CPU, in cores."), "resource", "limits.cpu"),
		where(quota("k8s.resourcequota.cpu.request.", of, "{cpu}", requests, request+" for CPU, in cores."), "resource", "cpu"),
		where(quota("k8s.resourcequota.memory.limit.", of, "By", all, limit+" for memory, in bytes."), "resource", "limits.memory"),
		where(quota("k8s.resourcequota.memory.request.", of, "By", requests, request+" for memory, in bytes."), "resource", "memory"),
		where(quota("k8s.resourcequota.ephemeral_storage.limit.", of, "By", all, limit+" for ephemeral storage, in bytes."),
			"resource", "limits.ephemeral-storage"),
		where(quota("k8s.resourcequota.ephemeral_storage.request.", of, "By", requests, request+" for ephemeral storage, in bytes."),
			"resource", "ephemeral-storage"),
		renamed(pages, "size", "k8s.hugepage.size"),
	}
}

// storageQuotas returns the rules for quotas on one StorageClass or all.
func storageQuotas(of string) []naming.Rule {
	bytes, claims := "Storage that all PersistentVolumeClaims may request, in bytes.", "PersistentVolumeClaims that may be in the namespace."
	if of == "used" {
		bytes, claims = "Storage that all PersistentVolumeClaims request, in bytes.", "PersistentVolumeClaims that are in the namespace."
	}
	var rules []naming.Rule
	for _, s := range []struct{ metric, resource, unit, help string }{
		{"k8s.resourcequota.storage.request.", "requests.storage", "By", bytes},
		{"k8s.resourcequota.persistentvolumeclaim_count.", "persistentvolumeclaims", "{persistentvolumeclaim}", claims},
	} {
		whole := quota(s.metric, of, s.unit, "kube_resourcequota", s.help)
		class := where(quota(s.metric, of, s.unit, "kube_resourcequota", s.help), "resource", "*"+classSuffix+s.resource)
		class.Capture = map[string]string{"resource": "k8s.storageclass.name"}
		rules = append(rules, where(whole, "resource", s.resource), class)
	}
	return rules
}

// quota returns a rule for the hard or used samples of a quota.
func quota(metric, of, unit, family, help string) naming.Rule {
	return where(upDown(metric+of, unit, family, help), "type", of)
}
