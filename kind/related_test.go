package kind_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

func TestRelated(t *testing.T) {
	for _, c := range []struct {
		table                     *kind.Table
		object                    string
		node, namespace, workload string
	}{
		{kind.Nodes, `{metadata: {name: w1}}`, "w1", "", ""},
		{kind.Namespaces, `{metadata: {name: shop}}`, "", "shop", ""},
		{kind.VolumeAttachments, `{metadata: {name: v}, spec: {nodeName: w1}}`, "w1", "", ""},
		{kind.ResourceSlices, `{metadata: {name: s}, spec: {nodeName: w1}}`, "w1", "", ""},
		{kind.ResourceSlices, `{metadata: {name: s}}`, "", "", ""},
		{kind.Services, `{metadata: {name: s, namespace: shop}}`, "", "shop", ""},
		{kind.Deployments, `{metadata: {name: d, namespace: shop}}`, "", "shop", "deployment d"},
		{kind.StatefulSets, `{metadata: {name: s, namespace: shop}}`, "", "shop", "statefulset s"},
		{kind.DaemonSets, `{metadata: {name: d, namespace: shop}}`, "", "shop", "daemonset d"},
		{kind.CronJobs, `{metadata: {name: c, namespace: shop}}`, "", "shop", "CronJob c"},
		{kind.ReplicaSets, `{metadata: {name: r, namespace: shop}}`, "", "shop", "replicaset r"},
		{kind.ReplicaSets, `{metadata: {name: d-x2k, namespace: shop, labels: {pod-template-hash: x2k}}}`, "", "shop", "deployment d"},
		{kind.ReplicaSets, `{metadata: {name: r, namespace: shop, ownerReferences: [{kind: Rollout, name: o}]}}`, "", "shop", "Rollout o"},
		{kind.Jobs, `{metadata: {name: j, namespace: shop}}`, "", "shop", "job j"},
		{kind.Jobs, `{metadata: {name: j, namespace: shop, ownerReferences: [{kind: CronJob, name: c, controller: true}]}}`, "", "shop", "CronJob c"},
		{kind.Pods, `{metadata: {name: p, namespace: shop}, spec: {nodeName: w1}}`, "w1", "shop", "barepod p"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, ownerReferences: [{kind: Node, name: w1}]}}`, "", "shop", "staticpod p"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, ownerReferences: [{kind: DaemonSet, name: d}, {kind: StatefulSet, name: s}]}}`, "", "shop", "daemonset d"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, ownerReferences: [{kind: DaemonSet, name: d}, {kind: StatefulSet, name: s, controller: true}]}}`, "", "shop", "statefulset s"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, ownerReferences: [{kind: Custom, name: c}]}}`, "", "shop", "Custom c"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, labels: {pod-template-hash: x2k}, ownerReferences: [{kind: ReplicaSet, name: d-x2k}]}}`, "", "shop", "deployment d"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: d-x2k}]}}`, "", "shop", "? ReplicaSet shop/d-x2k"},
		{kind.Pods, `{metadata: {name: p, namespace: shop, ownerReferences: [{kind: Job, name: j}]}}`, "", "shop", "? Job shop/j"},
	} {
		o := kindtest.Decode(t, c.table, []byte(c.object))
		if got := [...]string{kind.NodeOf(o), kind.NamespaceOf(o), chain(o)}; got != [...]string{c.node, c.namespace, c.workload} {
			t.Errorf("%s %s: got %q", c.table.Name, c.object, got)
		}
	}
}

// chain formats the result of workload.Of.
func chain(o kind.Object) string {
	w, ask := workload.Of(o)
	switch {
	case ask != workload.Owned{}:
		return "? " + ask.Kind + " " + ask.Namespace + "/" + ask.Name
	case w == workload.Workload{}:
		return ""
	default:
		return w.Type + " " + w.Name
	}
}

// The fields of RelatedReads are sufficient for these functions.
func TestRelatedReads(t *testing.T) {
	for _, table := range kind.All() {
		messages := encodedObjects(t, table)
		if messages == nil {
			continue
		}
		planned, err := table.Plan(kind.Options{Keep: func(*metric.Desc) bool { return false }, Reads: kind.RelatedReads(table)})
		if err != nil {
			t.Fatal(err)
		}
		filter, err := wire.Compile(table.New(), kind.Reads(planned))
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range messages {
			whole, part := decode(t, table, message), decode(t, table, filter.Append(nil, message))
			if kind.NodeOf(whole) != kind.NodeOf(part) || kind.NamespaceOf(whole) != kind.NamespaceOf(part) || chain(whole) != chain(part) {
				t.Fatalf("%s: %q on %q, but %q on %q with only these fields", table.Name, chain(whole), kind.NodeOf(whole), chain(part), kind.NodeOf(part))
			}
		}
	}
}

func TestKeys(t *testing.T) {
	keys := []string{"app", "app.io/name", "x"}
	for patterns, want := range map[string]string{"": "", "*": "app app.io/name x", "x *": "app app.io/name x", "app": "app", "app*": "app app.io/name"} {
		k, err := kind.CompileKeys("label", strings.Fields(patterns))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !k.Match(key) }), " ")
		if got != want || k.Empty() != (patterns == "") {
			t.Errorf("patterns %q admit %q (empty: %t), want %q", patterns, got, k.Empty(), want)
		}
	}
	if _, err := kind.CompileKeys("node label", []string{"a*b*"}); err == nil || !strings.Contains(err.Error(), `node label pattern "a*b*"`) {
		t.Errorf("error %v", err)
	}
}
