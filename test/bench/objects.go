package main

import (
	"errors"
	"fmt"
)

// onePerObject names, for each resource of the simulated cluster, a family that
// has exactly one series per object.
func onePerObject() map[string]string {
	return map[string]string{
		"configmaps":               "kube_configmap_info",
		"cronjobs":                 "kube_cronjob_info",
		"daemonsets":               "kube_daemonset_created",
		"deployments":              "kube_deployment_created",
		"endpointslices":           "kube_endpointslice_info",
		"horizontalpodautoscalers": "kube_horizontalpodautoscaler_info",
		"ingresses":                "kube_ingress_info",
		"jobs":                     "kube_job_info",
		"leases":                   "kube_lease_renew_time",
		"limitranges":              "kube_limitrange_created",
		"namespaces":               "kube_namespace_created",
		"networkpolicies":          "kube_networkpolicy_created",
		"nodes":                    "kube_node_info",
		"persistentvolumeclaims":   "kube_persistentvolumeclaim_info",
		"persistentvolumes":        "kube_persistentvolume_info",
		"poddisruptionbudgets":     "kube_poddisruptionbudget_created",
		"pods":                     "kube_pod_info",
		"replicasets":              "kube_replicaset_created",
		"resourcequotas":           "kube_resourcequota_created",
		"secrets":                  "kube_secret_info",
		"services":                 "kube_service_info",
		"statefulsets":             "kube_statefulset_created",
		"storageclasses":           "kube_storageclass_info",
		"volumeattachments":        "kube_volumeattachment_info",
	}
}

// compareObjects returns an error for each resource of which a body shows another
// number of objects than the API server has.
func compareObjects(shown families, objects map[string]int) error {
	byResource, errs := onePerObject(), []error(nil)
	for _, resource := range sortedKeys(objects) {
		family, known := byResource[resource]
		switch {
		case !known && objects[resource] > 0:
			errs = append(errs, fmt.Errorf("%s: no family is known that has one series per object", resource))
		case known && shown[family] != objects[resource]:
			errs = append(errs, fmt.Errorf("%s: the API server has %d, %s has %d series", resource, objects[resource], family, shown[family]))
		}
	}
	return errors.Join(errs...)
}
