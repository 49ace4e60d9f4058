package cluster_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
)

// fingerprint hashes everything in a store.
func fingerprint(store *apiserver.Store) string {
	hash := sha256.New()
	for _, r := range apiserver.Resources() {
		for e := range store.All(r.Name) {
			hash.Write(e.Bytes())
		}
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

func TestGenerateDeterministic(t *testing.T) {
	generate := func(seed uint64) string {
		store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
		if err != nil {
			t.Fatal(err)
		}
		if err := cluster.Generate(store, cluster.Config{Nodes: 10, Pods: 150, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		return fingerprint(store)
	}
	first := generate(7)
	if second := generate(7); first != second {
		t.Errorf("seed 7 gave %s and then %s", first, second)
	}
	if other := generate(8); first == other {
		t.Error("seeds 7 and 8 gave the same cluster")
	}
}

func TestGenerateSizes(t *testing.T) {
	for _, size := range []struct{ nodes, pods int }{{1, 0}, {1, 1}, {3, 10}, {50, 100}, {100, 1000}} {
		store := newStore(t, size.nodes, size.pods)
		if n := store.Len("nodes"); n != size.nodes {
			t.Errorf("%d nodes, want %d", n, size.nodes)
		}
		if n := store.Len("pods"); n != size.pods {
			t.Errorf("%d pods, want %d", n, size.pods)
		}
	}
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: 0, Pods: -1}); err == nil {
		t.Error("no error for 0 nodes and -1 pods")
	}
}

// TestGenerateRealistic checks that a cluster has the fields from which metrics are
// computed.
func TestGenerateRealistic(t *testing.T) {
	store := newStore(t, 100, 5000)
	checkConsistent(t, store)
	for _, r := range apiserver.Resources() {
		if store.Len(r.Name) == 0 && r.Name != "events" {
			t.Errorf("no %s", r.Name)
		}
	}
	for claim := range decoded[*corev1.PersistentVolumeClaim](t, store, "persistentvolumeclaims") {
		if _, found := store.Get("persistentvolumes", "", claim.Spec.VolumeName); !found {
			t.Errorf("claim %s/%s is bound to %q, which does not exist", claim.Namespace, claim.Name, claim.Spec.VolumeName)
		}
	}
	features := map[string]int{}
	for pod := range decoded[*corev1.Pod](t, store, "pods") {
		features["phase "+string(pod.Status.Phase)]++
		features["owner "+ownerKind(pod)]++
		features["init containers"] += len(pod.Spec.InitContainers)
		if len(pod.Spec.Tolerations) > 0 && len(pod.Spec.Volumes) > 0 && pod.Status.QOSClass != "" {
			features["spec"]++
		}
		for _, c := range pod.Status.Conditions {
			features["reason "+c.Reason]++
		}
		for _, c := range pod.Status.ContainerStatuses {
			features["containers"]++
			if c.State.Waiting != nil {
				features["waiting "+c.State.Waiting.Reason]++
			}
			if c.RestartCount > 0 && c.LastTerminationState.Terminated != nil {
				features["last state "+c.LastTerminationState.Terminated.Reason]++
			}
		}
		containers := len(pod.Spec.Containers) + len(pod.Spec.InitContainers)
		if n := managedSize(pod); n < 1000*containers || n > 2500+2500*containers {
			t.Errorf("pod %s with %d containers has %d bytes of managed fields", pod.Name, containers, n)
		}
	}
	for _, feature := range []string{
		"phase Running", "phase Pending", "phase Succeeded", "phase Failed", "owner ReplicaSet", "owner DaemonSet", "owner StatefulSet",
		"owner Job", "owner ", "init containers", "spec", "reason Unschedulable", "waiting CrashLoopBackOff", "waiting ImagePullBackOff",
		"waiting ContainerCreating", "last state Error", "last state OOMKilled",
	} {
		if features[feature] == 0 {
			t.Errorf("no pod with %s", feature)
		}
	}
	if share := float64(features["phase Running"]) / 5000; share < 0.85 {
		t.Errorf("%.0f %% of pods run, want most", 100*share)
	}
	for node := range decoded[*corev1.Node](t, store, "nodes") {
		if len(node.Status.Images) != 50 || len(node.Status.Conditions) != 4 || managedSize(node) < 500 {
			t.Errorf("node %s: %d images, %d conditions, %d bytes of managed fields",
				node.Name, len(node.Status.Images), len(node.Status.Conditions), managedSize(node))
		}
	}
}

// checkConsistent compares the statuses of ReplicaSets and Deployments with
// the pods, and every owner reference with its owner.
func checkConsistent(t *testing.T, store *apiserver.Store) {
	t.Helper()
	pods, ready := map[types.UID]int32{}, map[types.UID]int32{}
	for pod := range decoded[*corev1.Pod](t, store, "pods") {
		if owner := metav1.GetControllerOf(pod); owner != nil {
			if _, found := store.Get(strings.ToLower(owner.Kind)+"s", pod.Namespace, owner.Name); !found {
				t.Errorf("pod %s/%s belongs to %s %s, which does not exist", pod.Namespace, pod.Name, owner.Kind, owner.Name)
			}
			pods[owner.UID]++
			if isReady(pod) {
				ready[owner.UID]++
			}
		}
	}
	deployments, deploymentsReady, idle := map[types.UID]int32{}, map[types.UID]int32{}, 0
	for rs := range decoded[*appsv1.ReplicaSet](t, store, "replicasets") {
		owner := metav1.GetControllerOf(rs).UID
		deployments[owner] += pods[rs.UID]
		deploymentsReady[owner] += ready[rs.UID]
		if rs.Status.Replicas != pods[rs.UID] || *rs.Spec.Replicas != pods[rs.UID] || rs.Status.ReadyReplicas != ready[rs.UID] {
			t.Errorf("replicaset %s/%s: spec %d, status %d, ready %d; it has %d pods, %d ready", rs.Namespace, rs.Name,
				*rs.Spec.Replicas, rs.Status.Replicas, rs.Status.ReadyReplicas, pods[rs.UID], ready[rs.UID])
		}
		if *rs.Spec.Replicas == 0 {
			idle++
		}
	}
	if idle == 0 {
		t.Error("no ReplicaSet of a past revision")
	}
	for d := range decoded[*appsv1.Deployment](t, store, "deployments") {
		if d.Status.Replicas != deployments[d.UID] || d.Status.ReadyReplicas != deploymentsReady[d.UID] {
			t.Errorf("deployment %s/%s: status %d, ready %d; it has %d pods, %d ready", d.Namespace, d.Name,
				d.Status.Replicas, d.Status.ReadyReplicas, deployments[d.UID], deploymentsReady[d.UID])
		}
	}
}

// decoded walks the objects of a resource.
func decoded[T apiserver.Object](t *testing.T, store *apiserver.Store, resource string) func(func(T) bool) {
	return func(yield func(T) bool) {
		for e := range store.All(resource) {
			object, err := e.Decode()
			if err != nil {
				t.Fatal(err)
			}
			if !yield(object.(T)) {
				return
			}
		}
	}
}

func ownerKind(object metav1.Object) string {
	if owner := metav1.GetControllerOf(object); owner != nil {
		return owner.Kind
	}
	return ""
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func managedSize(object metav1.Object) int {
	n := 0
	for _, entry := range object.GetManagedFields() {
		n += entry.Size()
	}
	return n
}
