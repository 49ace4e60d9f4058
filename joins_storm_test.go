package kubestate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// stormObjects returns the object of each resource at step i of a storm. A Pod that reuses
// a name has another Node, Job and UID, so that labels of its predecessor would show.
var stormObjects = map[string]func(i int) kind.Object{
	"nodes":      func(i int) kind.Object { return zonedNode(fmt.Sprintf("w%d", i%7), fmt.Sprintf("z%d", i%11)) },
	"jobs":       func(i int) kind.Object { return ownedJob(fmt.Sprintf("j%d", i%3), fmt.Sprintf("CronJob/c%d", i%2)) },
	"namespaces": func(i int) kind.Object { return teamNamespace(fmt.Sprint(i)) },
}

func stormPod(group, i int) kind.Object {
	return joinedPod(fmt.Sprintf("p%d-%d", group, i%40), fmt.Sprint(i), fmt.Sprintf("w%d", i%7), fmt.Sprintf("Job/j%d", i%3), nil)
}

// TestJoinsConcurrently feeds each resource from its own goroutine, and Pods from several.
// The result is the same as after a list of the final objects.
func TestJoinsConcurrently(t *testing.T) {
	const steps = 150
	joinedFamilies := append(slices.Clone(joinedFamilies), "kube_pod_workload")
	j, fresh := newJoinsOf(t, joinedFamilies, allJoins...), newJoinsOf(t, joinedFamilies, allJoins...)
	var running sync.WaitGroup
	storm := func(resource string, object func(i int) kind.Object) {
		running.Go(func() {
			for i := range steps {
				o := object(i)
				if i%3 > 0 {
					j.feeds[resource].Delete(o.GetNamespace(), o.GetName())
				}
				j.feeds[resource].Put(o)
			}
		})
		for i := range steps {
			fresh.feeds[resource].Put(object(i))
		}
	}
	for resource, object := range stormObjects {
		storm(resource, object)
	}
	for group := range 3 {
		storm("pods", func(i int) kind.Object { return stormPod(group, i) })
	}
	running.Go(func() {
		for range 10 {
			if err := check(write(t, j.Exporter, exposition.OpenMetrics, kubestate.Selection{}), exposition.OpenMetrics); err != nil {
				t.Error(err)
			}
		}
	})
	running.Wait()
	if diff := cmp.Diff(fresh.lines(t), j.lines(t)); diff != "" {
		t.Errorf("-fresh +after the storm:\n%s", diff)
	}
}

// TestJoinsOfRecreatedObjects: a change of a Node that reaches an object while it is
// deleted never affects a new object with the same name.
func TestJoinsOfRecreatedObjects(t *testing.T) {
	j := newJoins(t, kubestate.Join{Families: "kube_pod_start_time", NodeLabels: []string{"topology.kubernetes.io/zone"}})
	const pods = 20
	again := func(i int) {
		name := fmt.Sprint("p", i)
		j.feeds["pods"].Delete("shop", name)
		j.feeds["pods"].Put(joinedPod(name, "u", "w", "", nil))
	}
	var want []string
	for i := range pods {
		want = append(want, fmt.Sprintf(`kube_pod_start_time{namespace="shop",pod="p%d",uid="u",node_label_topology_kubernetes_io_zone="north"} 1.5e+09`, i))
	}
	slices.Sort(want)
	for range 300 {
		var running sync.WaitGroup
		running.Go(func() {
			for i := range pods {
				again(i)
			}
		})
		running.Go(func() { j.feeds["nodes"].Put(zonedNode("w", "north")) })
		running.Wait()
		got := slices.DeleteFunc(j.lines(t), func(line string) bool { return !strings.HasPrefix(line, "kube_pod_start_time{") })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		j.feeds["nodes"].Put(zonedNode("w", ""))
	}
}
