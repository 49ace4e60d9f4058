package agent_test

import (
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/sink"
)

func TestJoins(t *testing.T) {
	byPod := []string{"pod", "namespace"}
	for name, c := range map[string]struct {
		joins map[string]naming.Join
		more  agent.Config
		want  string
	}{
		"no joins": {want: "pod 1 namespace:shop pod:web uid:u"},
		"listed labels, where they are not empty": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"label_app_kubernetes_io_name", "label_empty", "label_missing"}}},
			want:  "pod 1 label_app_kubernetes_io_name:x namespace:shop pod:web uid:u",
		},
		"all labels but those matched, empty ones too": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, All: true}},
			want:  "pod 1 label_app_kubernetes_io_name:x label_empty: label_team_name:blue namespace:shop pod:web uid:u",
		},
		"a star is all labels": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"*"}}},
			want:  "pod 1 label_app_kubernetes_io_name:x label_empty: label_team_name:blue namespace:shop pod:web uid:u",
		},
		"a label that is matched is not got": {
			joins: map[string]naming.Join{"kube_pod_info": {Match: byPod, Get: []string{"pod", "host_network"}}},
			want:  "pod 1 host_network:false namespace:shop pod:web uid:u",
		},
		"only samples of value 1": {
			joins: map[string]naming.Join{"kube_pod_status_phase": {Match: byPod, Get: []string{"phase"}}},
			want:  "pod 1 namespace:shop phase:Running pod:web uid:u",
		},
		"a join that brings the host": {
			joins: map[string]naming.Join{"kube_pod_info": {Match: byPod, Get: []string{"node"}}},
			want:  "pod 1 @node-1 namespace:shop node:node-1 pod:web uid:u",
		},
		"joined labels join nothing further": {
			joins: map[string]naming.Join{
				"kube_pod_info":    {Match: byPod, Get: []string{"node"}},
				"kube_node_labels": {Match: []string{"node"}, Get: []string{"label_zone"}},
			},
			want: "pod 1 @node-1 namespace:shop node:node-1 pod:web uid:u",
		},
		"without match everything is joined": {
			joins: map[string]naming.Join{"kube_node_labels": {Get: []string{"label_zone"}}},
			want:  "pod 1 label_zone:z1 namespace:shop pod:web uid:u",
		},
		"several sources add up": {
			joins: map[string]naming.Join{"kube_configmap_info": {Match: []string{"namespace"}, Get: []string{"configmap"}}},
			want:  "pod 1 configmap:a configmap:b namespace:shop pod:web uid:u",
		},
		"Pods of a namespace get of each other, themselves included": {
			joins: map[string]naming.Join{"kube_pod_info": {Match: []string{"namespace"}, Get: []string{"priority_class", "node"}}},
			want:  "pod 1 @node-1 namespace:shop node:node-1 pod:web priority_class:low uid:u",
		},
		"a user's join replaces that of the table": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"label_team_name"}}},
			more:  agent.Config{Joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"label_app_kubernetes_io_name"}}}},
			want:  "pod 1 label_app_kubernetes_io_name:x namespace:shop pod:web uid:u",
		},
		"an empty join of a user takes that of the table away": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"label_team_name"}}},
			more:  agent.Config{Joins: map[string]naming.Join{"kube_pod_labels": {}}},
			want:  "pod 1 namespace:shop pod:web uid:u",
		},
		"labels as tags do not need what was taken away": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"label_team_name"}}},
			more: agent.Config{
				Joins:        map[string]naming.Join{"kube_pod_labels": {}},
				LabelsAsTags: map[string]map[string]string{"pod": {"app.kubernetes.io/name": "app"}},
			},
			want: "pod 1 app:x namespace:shop pod:web uid:u",
		},
		"one kind by two names": {
			more: agent.Config{LabelsAsTags: map[string]map[string]string{"pods": {"teamName": "team"}, "pod": {"app.kubernetes.io/name": "app"}}},
			want: "pod 1 app:x namespace:shop pod:web team:blue uid:u",
		},
		"labels as tags, by kind": {
			more: agent.Config{LabelsAsTags: map[string]map[string]string{"pod": {"teamName": "team", "app.kubernetes.io/name": "app"}}},
			want: "pod 1 app:x namespace:shop pod:web team:blue uid:u",
		},
		"labels as tags of a plural, and of another object": {
			more: agent.Config{LabelsAsTags: map[string]map[string]string{"pods": {"teamName": "team"}, "namespace": {"owner": "owner"}}},
			want: "pod 1 namespace:shop owner:o pod:web team:blue uid:u",
		},
		"a template names what is not named": {
			more: agent.Config{LabelsAsTags: map[string]map[string]string{"pod": {"*": "p_%%label%%", "teamName": "team"}}},
			want: "pod 1 namespace:shop p_app_kubernetes_io_name:x p_empty: p_uid:u pod:web team:blue uid:u",
		},
		"labels as tags add to a join, and leave it what it gets": {
			joins: map[string]naming.Join{"kube_pod_labels": {Match: byPod, Get: []string{"label_app_kubernetes_io_name"}}},
			more:  agent.Config{LabelsAsTags: map[string]map[string]string{"pod": {"teamName": "team"}}},
			want:  "pod 1 label_app_kubernetes_io_name:x namespace:shop pod:web team:blue uid:u",
		},
		"the name of a tag is mapped once more": {
			more: agent.Config{
				LabelsAsTags: map[string]map[string]string{"pod": {"teamName": "team"}},
				LabelsMapper: map[string]string{"team": "squad", "pod": "pod_name"},
			},
			want: "pod 1 namespace:shop pod_name:web squad:blue uid:u",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.more.Scheme = ready(c.joins)
			x := agenttest.New(t, c.more)
			x.Put(objects(t, pod, node,
				`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}`,
				`{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: shop}}`,
				`{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: other}}`,
				`{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {owner: o}}}`,
				`{apiVersion: v1, kind: Pod, metadata: {name: quiet, namespace: shop, uid: v}, spec: {priorityClassName: low}}`,
			)...)
			expect(t, x, c.want)
		})
	}
}

func TestAnnotationsAsTags(t *testing.T) {
	o := objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, annotations: {x/a: "1", x/b: "2"}},
 status: {conditions: [{type: PodScheduled, status: "False"}]}}`)
	for name, c := range map[string]struct {
		user map[string]map[string]string
		want string
	}{
		"the table's":           {nil, "pod 1 a:1 namespace:shop pod:web uid:u"},
		"the table's win":       {map[string]map[string]string{"pod": {"x/a": "mine", "x/b": "b"}}, "pod 1 a:1 b:2 namespace:shop pod:web uid:u"},
		"by another name":       {map[string]map[string]string{"pods": {"x/a": "mine", "x/b": "b"}}, "pod 1 a:1 b:2 namespace:shop pod:web uid:u"},
		"nothing by one of two": {map[string]map[string]string{"pod": nil, "pods": {"x/b": "b"}}, "pod 1 a:1 b:2 namespace:shop pod:web uid:u"},
		"likewise nothing":      {map[string]map[string]string{"pods": nil}, "pod 1 namespace:shop pod:web uid:u"},
		"nothing takes away":    {map[string]map[string]string{"pod": nil}, "pod 1 namespace:shop pod:web uid:u"},
		"a template, a pattern": {map[string]map[string]string{"pod": {"*": "%%annotation%%"}}, "pod 1 a:1 namespace:shop pod:web uid:u x_b:2"},
	} {
		t.Run(name, func(t *testing.T) {
			n := ready(nil)
			n.AnnotationsAsTags = map[string]map[string]string{"pod": {"x/a": "a"}}
			x := agenttest.New(t, agent.Config{Scheme: n, AnnotationsAsTags: c.user})
			x.Put(o...)
			expect(t, x, c.want)
		})
	}
}

// Labels that a join always gets are added to a user's join, too.
func TestAlwaysGet(t *testing.T) {
	n := ready(nil)
	n.AlwaysGet = map[string][]string{"kube_pod_labels": {"label_team_name"}}
	x := agenttest.New(t, agent.Config{Scheme: n, Joins: map[string]naming.Join{
		"kube_pod_labels": {Match: []string{"pod", "namespace"}, Get: []string{"label_app_kubernetes_io_name"}},
	}})
	x.Put(objects(t, pod)...)
	expect(t, x, "pod 1 label_app_kubernetes_io_name:x label_team_name:blue namespace:shop pod:web uid:u")
	for want, j := range map[string]naming.Join{
		"pod 1 label_team_name:blue namespace:shop pod:web uid:u": {Match: []string{"pod", "namespace"}},
		"pod 1 namespace:shop pod:web uid:u":                      {}, // taken away as a whole
	} {
		x := agenttest.New(t, agent.Config{Scheme: n, Joins: map[string]naming.Join{"kube_pod_labels": j}})
		x.Put(objects(t, pod)...)
		expect(t, x, want)
	}
}

// Labels of samples that do not identify the other object are joined per sample: such
// samples have their own block.
func TestJoinsByOwnLabels(t *testing.T) {
	n := &naming.Scheme{
		Rules: []naming.Rule{
			{Family: "kube_pod_container_resource_requests", Metric: "request", Tags: naming.Tags{Drop: []string{"unit", "resource"}}},
			{Family: "kube_pod_created", Metric: "created", Value: naming.One},
			{Family: "kube_pod_container_effective_resource_requests", Metric: "effective", Tags: naming.Tags{Drop: []string{"unit", "resource"}}},
		},
		Joins:    map[string]naming.Join{"kube_node_labels": {Match: []string{"node"}, Get: []string{"label_zone"}}},
		HostTags: []string{"node"},
	}
	x := agenttest.New(t, agent.Config{Scheme: n, ClusterName: "c"})
	x.Put(objects(t, node, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, creationTimestamp: "2026-01-02T11:00:00Z"},
 spec: {nodeName: node-1, containers: [{name: a, resources: {requests: {cpu: "1"}}}, {name: b, resources: {requests: {cpu: "2"}}}]}}`)...)
	expect(t, x,
		"created 1 namespace:shop pod:web uid:u",
		"effective 1 @node-1-c container:a label_zone:z1 namespace:shop node:node-1 pod:web uid:u",
		"effective 2 @node-1-c container:b label_zone:z1 namespace:shop node:node-1 pod:web uid:u",
		"request 1 @node-1-c container:a label_zone:z1 namespace:shop node:node-1 pod:web uid:u",
		"request 2 @node-1-c container:b label_zone:z1 namespace:shop node:node-1 pod:web uid:u",
	)
	// Series of one block are consecutive and share it.
	var blocks []any
	for s := range x.NewReader().Run(runAt).Series {
		if len(blocks) == 0 || blocks[len(blocks)-1] != any(s.Block) {
			blocks = append(blocks, s.Block)
		}
	}
	if len(blocks) != 2 {
		t.Errorf("series have %d blocks, want 2", len(blocks))
	}
}

func TestOwners(t *testing.T) {
	n := ready(map[string]naming.Join{"kube_pod_info": {Match: []string{"pod", "namespace"}, Get: []string{"created_by_kind", "created_by_name"}}})
	n.Owners = &naming.Owners{Tags: map[string]string{
		"ReplicaSet": "rs", "Deployment": "deploy", "Job": "job", "CronJob": "cron", "StatefulSet": "sts",
	}}
	for owner, want := range map[string]string{
		"{kind: ReplicaSet, name: web-6b8f7d9c5, controller: true}":  " deploy:web namespace:shop pod:web rs:web-6b8f7d9c5 uid:u",
		"{kind: ReplicaSet, name: web-aeiou, controller: true}":      " namespace:shop pod:web rs:web-aeiou uid:u",
		"{kind: Job, name: report-29012345, controller: true}":       " cron:report job:report-29012345 namespace:shop pod:web uid:u",
		"{kind: StatefulSet, name: db, controller: true}":            " namespace:shop pod:web sts:db uid:u",
		"{kind: Rollout, name: unknown, controller: true}":           " namespace:shop pod:web uid:u",
		"{kind: StatefulSet, name: no-controller}":                   " namespace:shop pod:web uid:u",
		"{kind: ReplicaSet, name: web-6b8f7d9c5, controller: false}": " namespace:shop pod:web uid:u",
	} {
		x := agenttest.New(t, agent.Config{Scheme: n})
		x.Put(objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, ownerReferences: [`+owner+`]},
 status: {conditions: [{type: PodScheduled, status: "False"}]}}`)...)
		expect(t, x, "pod 1"+want)
	}
}

// A tag that a series has itself and gets from a join is sent once if the values are equal,
// else with both values.
func TestDuplicateTagsAreSentOnce(t *testing.T) {
	byPod := []string{"pod", "namespace"}
	requests := naming.Rule{
		Family: "kube_pod_container_resource_requests", Metric: "requests",
		Tags: naming.Tags{Drop: []string{"unit", "resource", "container"}},
	}
	quota := func(r naming.Rule) []naming.Rule {
		r.Family, r.Metric = "kube_resourcequota", "quota"
		r.Drop = []string{"resource", "type"}
		return []naming.Rule{r}
	}
	const quotas = `{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: shop}, status: {hard: {cpu: "1"}}}`
	for name, c := range map[string]struct {
		names  naming.Scheme
		tags   []sink.Tag
		object string
		want   []string
	}{
		"from the object itself": {
			names: naming.Scheme{
				Rules: []naming.Rule{requests},
				Joins: map[string]naming.Join{"kube_pod_info": {Match: byPod, Get: []string{"node"}}},
			},
			object: requesting,
			want:   []string{"requests 1 namespace:shop node:node-1 pod:web uid:u"},
		},
		"all labels, from the object itself": {
			names: naming.Scheme{
				Rules: []naming.Rule{{Family: "kube_configmap_info", Metric: "m"}, {Family: "kube_configmap_labels", Metric: "l"}},
				Joins: map[string]naming.Join{"kube_configmap_labels": {Match: []string{"configmap", "namespace"}, All: true}},
			},
			object: `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop, labels: {x: v, z: ""}}}`,
			want:   []string{"l 1 configmap:a label_x:v label_z: namespace:shop", "m 1 configmap:a label_x:v label_z: namespace:shop"},
		},
		"from another object": {
			names: naming.Scheme{
				Rules: quota(naming.Rule{Tags: naming.Tags{Set: map[string]string{"label_team": "red", "other": "x"}}}),
				Joins: map[string]naming.Join{"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}}},
			},
			object: quotas + "\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}",
			want:   []string{"quota 1 label_team:red namespace:shop other:x resourcequota:q"},
		},
		"of another object, with another value": {
			names: naming.Scheme{
				Rules: quota(naming.Rule{Tags: naming.Tags{Set: map[string]string{"label_team": "red"}}}),
				Joins: map[string]naming.Join{"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}}},
			},
			object: quotas + "\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: blue}}}",
			want:   []string{"quota 1 label_team:blue label_team:red namespace:shop resourcequota:q"},
		},
		"from the owner": {
			names: naming.Scheme{
				Rules: []naming.Rule{{
					Family: "kube_replicaset_created", Metric: "m", Value: naming.One, Tags: naming.Tags{Set: map[string]string{"deploy": "web"}},
				}},
				Joins:  map[string]naming.Join{"kube_replicaset_owner": {Match: []string{"replicaset", "namespace"}, Get: []string{"owner_kind", "owner_name"}}},
				Owners: &naming.Owners{Tags: map[string]string{"Deployment": "deploy"}},
			},
			object: `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, namespace: shop, creationTimestamp: "2026-01-02T11:00:00Z",
 ownerReferences: [{kind: Deployment, name: web, controller: true}]}}`,
			want: []string{"m 1 deploy:web namespace:shop replicaset:web-1"},
		},
		"of everything": {
			names:  naming.Scheme{Rules: quota(naming.Rule{Tags: naming.Tags{Set: map[string]string{"env": "prod"}}})},
			tags:   []sink.Tag{{Key: "env", Value: "prod"}},
			object: quotas,
			want:   []string{"quota 1 env:prod namespace:shop resourcequota:q"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Scheme: &c.names, Tags: c.tags})
			x.Put(objects(t, c.object)...)
			expect(t, x, c.want...)
		})
	}
}

// The owner of an object takes precedence over one named by a sample, even if the object
// has both.
func TestOwnersInOrder(t *testing.T) {
	n := &naming.Scheme{
		Rules:  []naming.Rule{{Family: "kube_pod_owner", Metric: "owner", Tags: naming.Tags{Drop: []string{"owner_is_controller"}}}},
		Joins:  map[string]naming.Join{"kube_pod_info": {Match: []string{"pod", "namespace"}, Get: []string{"created_by_kind", "created_by_name"}}},
		Owners: &naming.Owners{Tags: map[string]string{"StatefulSet": "sts", "DaemonSet": "ds"}},
	}
	x := agenttest.New(t, agent.Config{Scheme: n})
	x.Put(objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, ownerReferences: [
 {kind: StatefulSet, name: maker, controller: true}, {kind: DaemonSet, name: other}]}}`)...)
	expect(t, x, "owner 1 namespace:shop pod:web sts:maker uid:u", "owner 1 namespace:shop pod:web sts:maker uid:u")
}
