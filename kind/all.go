package kind

// All returns the tables of all resources in the order in which they are written: ascending
// by name.
func All() []*Table {
	return []*Table{
		APIServices,
		CertificateSigningRequests,
		ClusterRoleBindings,
		ClusterRoles,
		ConfigMaps,
		ControllerRevisions,
		CronJobs,
		CustomResourceDefinitions,
		DaemonSets,
		Deployments,
		Endpoints,
		EndpointSlices,
		HorizontalPodAutoscalers,
		IngressClasses,
		Ingresses,
		Jobs,
		Leases,
		LimitRanges,
		MutatingAdmissionPolicies,
		MutatingAdmissionPolicyBindings,
		MutatingWebhookConfigurations,
		Namespaces,
		NetworkPolicies,
		Nodes,
		PersistentVolumeClaims,
		PersistentVolumes,
		PodDisruptionBudgets,
		Pods,
		ReplicaSets,
		ReplicationControllers,
		ResourceClaims,
		ResourceQuotas,
		ResourceSlices,
		RoleBindings,
		Roles,
		Secrets,
		ServiceAccounts,
		Services,
		StatefulSets,
		StorageClasses,
		ValidatingAdmissionPolicies,
		ValidatingAdmissionPolicyBindings,
		ValidatingWebhookConfigurations,
		VerticalPodAutoscalers,
		VolumeAttachments,
	}
}

// Defaults returns the tables of the resources that are served by default, ascending by
// name.
func Defaults() []*Table {
	var tables []*Table
	for _, t := range All() {
		if !t.NotDefault {
			tables = append(tables, t)
		}
	}
	return tables
}

// Names returns the resource names of tables, in their order.
func Names(tables []*Table) []string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	return names
}
