package datadog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// Every label that becomes a tag on objects of many kinds, and its tag.
const (
	standardLabels = `{app.kubernetes.io/component: co, app.kubernetes.io/instance: in, app.kubernetes.io/managed-by: ma, app.kubernetes.io/name: na,
 app.kubernetes.io/part-of: pa, app.kubernetes.io/version: ve, helm.sh/chart: ch,
 tags.datadoghq.com/env: en, tags.datadoghq.com/service: se, tags.datadoghq.com/version: dv, team: none}`
	standardTags = "env:en helm_chart:ch kube_app_component:co kube_app_instance:in kube_app_managed_by:ma kube_app_name:na " +
		"kube_app_part_of:pa kube_app_version:ve service:se version:dv"
)

// labelled is an object with all labels, in the namespace shop and with the UID u.
func labelled(apiVersion, kind, name, rest string) string {
	return "{apiVersion: " + apiVersion + ", kind: " + kind + ", metadata: {name: " + name + ", namespace: shop, uid: u, labels: " + standardLabels + "}, " + rest + "}"
}

// Each built-in join adds all its labels to series of the kind it is for.
func TestJoins(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range []struct {
		joins  []string // that bring the tags
		object string
		metric string // one of the object
		want   string // its tags, but for those that name the object
	}{
		{[]string{"kube_deployment_labels"}, labelled("apps/v1", "Deployment", "x", "status: {replicas: 1}"), "deployment.replicas", standardTags},
		{[]string{"kube_replicaset_labels"}, labelled("apps/v1", "ReplicaSet", "x", "status: {replicas: 1}"), "replicaset.replicas", standardTags},
		{[]string{"kube_daemonset_labels"}, labelled("apps/v1", "DaemonSet", "x", "status: {numberReady: 1}"), "daemonset.ready", standardTags},
		{[]string{"kube_statefulset_labels"}, labelled("apps/v1", "StatefulSet", "x", "status: {replicas: 1}"), "statefulset.replicas", standardTags},
		{[]string{"kube_job_labels"}, labelled("batch/v1", "Job", "x", "status: {succeeded: 1}"), "job.succeeded", standardTags},
		{[]string{"kube_cronjob_labels"}, labelled("batch/v1", "CronJob", "x", "spec: {suspend: true}"), "cronjob.spec_suspend", standardTags},
		{[]string{"kube_pod_labels", "kube_pod_status_phase"}, labelled("v1", "Pod", "x", "status: {phase: Running}"), "pod.status_phase", standardTags + " pod_phase:Running"},
		{
			[]string{"kube_pod_info", "kube_pod_status_reason"},
			`{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: shop, uid: u, creationTimestamp: "2026-01-02T11:59:59Z",
 ownerReferences: [{kind: ReplicationController, name: rc, controller: true}]},
 spec: {nodeName: n1, priorityClassName: high}, status: {reason: Evicted}}`,
			"pod.age", "kube_priority_class:high kube_replication_controller:rc node:n1 reason:Evicted",
		},
		{
			[]string{"kube_persistentvolume_info"}, `{apiVersion: v1, kind: PersistentVolume, metadata: {name: x}, spec: {storageClassName: fast, capacity: {storage: "1"}}}`,
			"persistentvolume.capacity", "storageclass:fast",
		},
		{
			[]string{"kube_persistentvolumeclaim_info"},
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x, namespace: shop}, spec: {storageClassName: fast, resources: {requests: {storage: "1"}}}}`,
			"persistentvolumeclaim.request_storage", "storageclass:fast",
		},
		{
			[]string{"kube_horizontalpodautoscaler_ownerref"},
			`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: x, namespace: shop, ownerReferences: [{kind: ScaledObject, name: so}]}, spec: {minReplicas: 1}}`,
			"hpa.min_replicas", "ownerref_kind:scaledobject ownerref_name:so",
		},
		{
			[]string{"kube_node_labels", "kube_node_info"},
			`{apiVersion: v1, kind: Node, metadata: {name: x, creationTimestamp: "2026-01-02T11:59:59Z", labels: {
 topology.kubernetes.io/region: r1, topology.kubernetes.io/zone: z1, failure-domain.beta.kubernetes.io/region: r2, failure-domain.beta.kubernetes.io/zone: z2}},
 status: {nodeInfo: {kubeletVersion: ku, containerRuntimeVersion: co, kernelVersion: ke, osImage: os}}}`,
			"node.age", "container_runtime_version:co kernel_version:ke kube_region:r1 kube_region:r2 kube_zone:z1 kube_zone:z2 kubelet_version:ku os_image:os",
		},
	} {
		x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
		x.Put(agenttest.Objects(t, c.object)...)
		wantTags(t, x, c.metric, c.want)
		for _, j := range c.joins {
			tested[j] = true
		}
	}
	for family := range datadog.Scheme().Joins {
		if !tested[family] {
			t.Errorf("join %s is not tested", family)
		}
	}
}

// wantTags compares the tags of the only series of a metric, without those that name the
// object.
func wantTags(t *testing.T, x *agenttest.Cluster, metric, want string) {
	t.Helper()
	sorted := strings.Fields(want)
	slices.Sort(sorted)
	want = strings.Join(sorted, " ")
	var got []string
	for _, line := range x.Lines(runAt) {
		fields := strings.Fields(line)
		if fields[0] != "kubernetes_state."+metric {
			continue
		}
		var tags []string
		for _, tag := range fields[2:] {
			if !strings.HasSuffix(tag, ":x") && !strings.HasPrefix(tag, "@") && tag != "kube_namespace:shop" && tag != "uid:u" {
				tags = append(tags, tag)
			}
		}
		got = append(got, strings.Join(tags, " "))
	}
	if !slices.Equal(got, []string{want}) {
		t.Errorf("%s: tags %q, want %q", metric, got, want)
	}
}

// Labels joined by a user are mapped to the same names.
func TestUserJoins(t *testing.T) {
	pod := labelled("v1", "Pod", "x", "spec: {nodeName: n1}, status: {phase: Running}")
	rollout := `{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: shop, uid: u, labels: {rollouts-pod-template-hash: "1", team: a},
 ownerReferences: [{kind: ReplicaSet, name: web-6b8f7d9c5, controller: true}]}, status: {phase: Running}}`
	namespace := `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: blue}}}`
	for name, c := range map[string]struct {
		config  agent.Config
		objects string
		want    string
	}{
		"labels as tags, beside what is joined": {
			agent.Config{LabelsAsTags: map[string]map[string]string{"pod": {"team": "squad"}}},
			pod, standardTags + " node:n1 pod_phase:Running squad:none",
		},
		"a tag that the mapper knows": {
			agent.Config{LabelsAsTags: map[string]map[string]string{"pod": {"team": "pod"}}, Joins: map[string]naming.Join{"kube_pod_labels": {}}},
			pod, "node:n1 pod_name:none pod_phase:Running",
		},
		"labels of the namespace": {
			agent.Config{LabelsAsTags: map[string]map[string]string{"namespace": {"team": "team"}}},
			rollout + "\n---\n" + namespace,
			"kube_argo_rollout:web kube_deployment:web kube_replica_set:web-6b8f7d9c5 pod_phase:Running team:blue",
		},
		"in place of the standard labels, but for Argo's": {
			agent.Config{Joins: map[string]naming.Join{"kube_pod_labels": {Match: []string{"pod", "namespace"}, Get: []string{"label_team"}}}},
			rollout, "kube_argo_rollout:web kube_deployment:web kube_replica_set:web-6b8f7d9c5 label_team:a pod_phase:Running",
		},
		"in place of the owner": {
			agent.Config{Joins: map[string]naming.Join{"kube_pod_info": {Match: []string{"pod", "namespace"}, Get: []string{"node"}}, "kube_pod_labels": {}}},
			rollout, "pod_phase:Running",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Scheme = datadog.Scheme()
			x := agenttest.New(t, c.config)
			x.Put(agenttest.Objects(t, c.objects)...)
			wantTags(t, x, "pod.status_phase", c.want)
		})
	}
}

// Owners of Pods, of all kinds that have a tag.
func TestOwners(t *testing.T) {
	for owner, want := range map[string]string{
		"{kind: CronJob, name: o}":               "kube_cronjob:o",
		"{kind: DaemonSet, name: o}":             "kube_daemon_set:o",
		"{kind: Deployment, name: o}":            "kube_deployment:o",
		"{kind: Job, name: o-123}":               "kube_cronjob:o kube_job:o-123",
		"{kind: ReplicaSet, name: o-6b8f7d9c5}":  "kube_deployment:o kube_replica_set:o-6b8f7d9c5",
		"{kind: ReplicationController, name: o}": "kube_replication_controller:o",
		"{kind: StatefulSet, name: o}":           "kube_stateful_set:o",
		"{kind: Pod, name: o}":                   "pod_name:o",
		"{kind: Service, name: o}":               "kube_service:o",
		"{kind: Namespace, name: o}":             "kube_namespace:o",
		"{kind: Node, name: o}":                  "",
		"{kind: Sloth, name: o}":                 "",
	} {
		x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
		x.Put(agenttest.Objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: shop, uid: u, creationTimestamp: "2026-01-02T11:59:59Z",
 ownerReferences: [`+owner[:len(owner)-1]+`, controller: true}]}}`)...)
		wantTags(t, x, "pod.age", want)
	}
}

// The first of several owners of a HorizontalPodAutoscaler becomes tags.
func TestFirstOwnerOfAutoscalerBecomesTags(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
	x.Put(agenttest.Objects(t, `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: x, namespace: shop,
 ownerReferences: [{kind: ScaledObject, name: first}, {kind: Other, name: second}]}, spec: {minReplicas: 1}}`)...)
	wantTags(t, x, "hpa.min_replicas", "ownerref_kind:scaledobject ownerref_name:first")
}

// The cluster name is in lower case in its tag and in hosts.
func TestClusterName(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme(), ClusterName: "Prod-EU"})
	x.Put(agenttest.Objects(t, `{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {unschedulable: true}}`)...)
	want := "kubernetes_state.node.status 1 @n1-prod-eu kube_cluster_name:prod-eu node:n1 status:unschedulable"
	if got := x.Lines(runAt); !slices.Contains(got, want) {
		t.Errorf("%q lacks %q", got, want)
	}
}

// Labels newer than the families that the check builds on do not become tags.
func TestLabelsMissingInCheckAreDropped(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
	x.Put(agenttest.Objects(t, `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: x, namespace: shop}, spec: {metrics: [
 {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: shop, uid: u}, spec: {volumes: [{name: data, persistentVolumeClaim: {claimName: c, readOnly: true}}]}}`)...)
	wantTags(t, x, "hpa.spec_target_metric", "metric_name:cpu metric_target_type:utilization")
	wantTags(t, x, "pod.volumes.persistentvolumeclaims_readonly", "persistentvolumeclaim:c volume:data")
}
