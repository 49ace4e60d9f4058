package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/cluster"
)

// samples returns the sorted sample lines that programs serve together, once each is ready.
func samples(t *testing.T, programs ...*program) []string {
	t.Helper()
	var lines []string
	for _, p := range programs {
		p.log.await(t, regexp.MustCompile(`msg=synced\b`))
		for line := range strings.Lines(fetch(t, "http://"+p.address("metrics")+"/metrics")) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// Instances with --shard show together what one shows, in either layout of shards, and say
// which shard they are.
func TestShardFlags(t *testing.T) {
	store, _, url := newAPIServer(t)
	if err := cluster.Generate(store, cluster.Config{Nodes: 3, Pods: 40, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	start := func(args ...string) *program {
		return startProgram(t, append([]string{"--apiserver", url, "--host", "127.0.0.1", "--telemetry-host", "127.0.0.1", "--port", "0", "--telemetry-port", "0", "--join", "kube_pod_info=[node_label:*]"}, args...)...)
	}
	one := start()
	want := samples(t, one)
	if len(want) < 1000 {
		t.Fatalf("%d lines", len(want))
	}
	for _, layout := range []string{"--server-side-sharding=false", "--server-side-sharding"} {
		first, second := start(layout, "--shard", "0", "--total-shards", "2"), start(layout, "--shard", "1", "--total-shards", "2")
		if diff := cmp.Diff(want, samples(t, first, second)); diff != "" {
			t.Errorf("%s (-one +shards):\n%.1000s", layout, diff)
		}
		second.awaitLine("/metrics", `kube_state_metrics_shard_ordinal{shard_ordinal="1"} 1`)
		second.awaitLine("/metrics", "kube_state_metrics_total_shards 2")
		first.end()
		second.end()
	}
	if none := samples(t, start("--shard", "2", "--total-shards", "2")); len(none) > 0 {
		t.Errorf("a shard beyond the last shows %d lines", len(none))
	}
}

// --node reads the Pods of one Node, --track-unscheduled-pods those without a Node; other
// kinds are not affected.
func TestNodeFlags(t *testing.T) {
	_, _, url := newAPIServer(t, pod("a", "one"), pod("b", "two"), pod("c", ""), pod("d", "one"))
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"node":        {[]string{"--node", "one"}, "a d"},
		"unscheduled": {[]string{"--track-unscheduled-pods"}, "c"},
		"both":        {[]string{"--node", "one", "--track-unscheduled-pods"}, "c"},
		"excluded":    {[]string{"--node", "two", "--namespaces-denylist", "shop"}, ""},
		"odd name":    {[]string{"--node", `one,metadata.name=a`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProgram(t, append([]string{"--apiserver", url, "--host", "127.0.0.1", "--telemetry-host", "127.0.0.1", "--port", "0", "--telemetry-port", "0", "--resources", "pods,deployments"}, test.args...)...)
			var names []string
			for _, line := range samples(t, p) {
				if strings.HasPrefix(line, "kube_pod_created{") || strings.HasPrefix(line, "kube_pod_info{") {
					names = append(names, regexp.MustCompile(`pod="(.)"`).FindStringSubmatch(line)[1])
				}
			}
			if got := strings.Join(slices.Compact(names), " "); got != test.want {
				t.Errorf("pods %q, want %q", got, test.want)
			}
		})
	}
}

// With --pod, the StatefulSet says which shard this is. Scaled up, the shards show every series
// once when the new one is ready.
func TestAutosharding(t *testing.T) {
	store, _, url := newAPIServer(t)
	if err := cluster.Generate(store, cluster.Config{Nodes: 3, Pods: 30, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	scale := func(replicas, ready int32) {
		t.Helper()
		set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "ks", UID: "ks"}}
		set.Spec.Replicas, set.Status.ReadyReplicas = &replicas, ready
		if err := store.Put(set); err != nil {
			t.Fatal(err)
		}
	}
	scale(1, 0)
	start := func(name string) *program {
		controller, p := true, pod(name, "")
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "ks", Controller: &controller}}
		if err := store.Put(p); err != nil {
			t.Fatal(err)
		}
		return startProgram(t, "--apiserver", url, "--host", "127.0.0.1", "--telemetry-host", "127.0.0.1", "--port", "0", "--telemetry-port", "0",
			"--pod", name, "--pod-namespace", "shop", "--namespaces-denylist", "shop")
	}
	first := start("ks-0")
	want := samples(t, first)
	first.awaitLine("/metrics", "kube_state_metrics_total_shards 1")
	if len(want) < 500 {
		t.Fatalf("%d lines", len(want))
	}
	scale(2, 1)
	second := start("ks-1")
	if all := samples(t, first, second); len(all) <= len(want) {
		t.Errorf("the first shard let go before the second was ready: %d lines, %d of one", len(all), len(want))
	}
	scale(2, 2)
	first.awaitLine("/metrics", "kube_state_metrics_total_shards 2")
	second.awaitLine("/metrics", `kube_state_metrics_shard_ordinal{shard_ordinal="1"} 1`)
	deadline := time.Now().Add(patience)
	for diff := "not asked"; diff != ""; diff = cmp.Diff(want, samples(t, first, second)) {
		if time.Now().After(deadline) {
			t.Fatalf("(-one +shards):\n%.1000s", diff)
		}
	}
	if err := store.Put(pod("a", "")); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, "--apiserver", url, "--port", "0", "--telemetry-port", "0", "--pod", "a", "--pod-namespace", "shop")
	p.log.await(t, regexp.MustCompile("get pod shop/a: not a Pod of a StatefulSet"))
	if code := <-p.code; code != 1 {
		t.Errorf("exit code %d", code)
	}
}
