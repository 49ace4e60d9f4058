package apiserver_test

import (
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

func TestWatch(t *testing.T) {
	store := newStore(t, 1, 10)
	_, running := start(t, store, apiserver.Config{})
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			ctx, pods := testContext(t), client(t, running.URL, format.accept).CoreV1().Pods("")
			list, err := pods.List(ctx, metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			w, err := pods.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Stop()
			pod := bare("default", "watched")
			put(t, store, pod)
			expect(t, w, watch.Added, "watched", pod.ResourceVersion)
			pod.Status.Phase = corev1.PodRunning
			put(t, store, pod)
			expect(t, w, watch.Modified, "watched", pod.ResourceVersion)
			if found, err := store.Delete("pods", "default", "watched"); !found || err != nil {
				t.Fatalf("delete: %v, %v", found, err)
			}
			last := expect(t, w, watch.Deleted, "watched", strconv.FormatUint(store.Version(), 10))
			if last.Status.Phase != corev1.PodRunning {
				t.Errorf("deletion carries phase %q, want that of the last state", last.Status.Phase)
			}
		})
	}
}

func TestWatchSelectorLeaves(t *testing.T) {
	store := newStore(t, 1, 1)
	_, running := start(t, store, apiserver.Config{})
	ctx, c := testContext(t), client(t, running.URL, protobuf)
	pod := bare("default", "moving")
	put(t, store, pod)
	version := pod.ResourceVersion
	w, err := c.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{ResourceVersion: version, FieldSelector: "spec.nodeName=a"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	pod.Spec.NodeName = "a"
	put(t, store, pod)
	expect(t, w, watch.Added, "moving", pod.ResourceVersion)
	pod.Status.Phase = corev1.PodRunning
	put(t, store, pod)
	expect(t, w, watch.Modified, "moving", pod.ResourceVersion)
	pod.Spec.NodeName = "b"
	put(t, store, pod)
	left := expect(t, w, watch.Deleted, "moving", pod.ResourceVersion)
	if left.Spec.NodeName != "a" {
		t.Errorf("deletion shows node %q, want the one the selector matched", left.Spec.NodeName)
	}
	if _, err := store.Delete("pods", "default", "moving"); err != nil {
		t.Fatal(err)
	}
	pod.Spec.NodeName = "a"
	put(t, store, pod)
	expect(t, w, watch.Added, "moving", pod.ResourceVersion) // and no deletion in between
}

func TestWatchTooOld(t *testing.T) {
	store := newStore(t, 1, 10)
	_, running := start(t, store, apiserver.Config{})
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			pods := client(t, running.URL, format.accept).CoreV1().Pods("")
			put(t, store, bare("default", "x"))
			store.Compact()
			w, err := pods.Watch(testContext(t), metav1.ListOptions{ResourceVersion: "2"})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Stop()
			e := <-w.ResultChan()
			if err := apierrors.FromObject(e.Object); e.Type != watch.Error || !apierrors.IsResourceExpired(err) {
				t.Errorf("got %s %v, want an ERROR event that says expired", e.Type, err)
			}
		})
	}
}

// expect takes the next event of a watch on pods and compares it.
func expect(t *testing.T, w watch.Interface, kind watch.EventType, name, version string) *corev1.Pod {
	t.Helper()
	select {
	case e := <-w.ResultChan():
		pod, ok := e.Object.(*corev1.Pod)
		if !ok || e.Type != kind || pod.Name != name || pod.ResourceVersion != version {
			t.Fatalf("got %s %v, want %s of %s at %s", e.Type, e.Object, kind, name, version)
		}
		return pod
	case <-time.After(30 * time.Second):
		t.Fatalf("no event, want %s of %s", kind, name)
	}
	return nil
}
