package apiserver_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// asTable is what kubectl get accepts.
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

func emptyStore(t *testing.T) *apiserver.Store {
	t.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func decodeTable(t *testing.T, body []byte) metav1.Table {
	t.Helper()
	var table metav1.Table
	if err := json.Unmarshal(body, &table); err != nil {
		t.Fatalf("%v in %.200s", err, body)
	}
	if table.Kind != "Table" || table.APIVersion != "meta.k8s.io/v1" {
		t.Fatalf("got kind %s of %s, want a Table", table.Kind, table.APIVersion)
	}
	return table
}

// A pod that crashes is shown as kubectl shows it for a real cluster, also wide.
func TestTableOfPods(t *testing.T) {
	store := emptyStore(t)
	pod := bare("ns", "web-0")
	pod.CreationTimestamp = metav1.NewTime(time.Now().Add(-49 * time.Hour))
	pod.Spec = corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "a"}, {Name: "b"}}}
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0.7"}},
		ContainerStatuses: []corev1.ContainerStatus{
			{Name: "a", RestartCount: 3, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(time.Now().Add(-150 * time.Second))}}},
			{Name: "b", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
		},
	}
	put(t, store, pod)
	server := apiserver.New(store, apiserver.Config{})
	want := "[web-0 1/2 CrashLoopBackOff 3 (2m30s ago) 2d1h 10.0.0.7 node-1 <none> <none>]"
	for _, path := range []string{"/api/v1/namespaces/ns/pods", "/api/v1/namespaces/ns/pods/web-0"} {
		code, _, body := ask(t, server, http.MethodGet, path, asTable)
		table := decodeTable(t, body)
		if code != http.StatusOK || len(table.Rows) != 1 || fmt.Sprint(table.Rows[0].Cells) != want {
			t.Errorf("%s: got %d with %v, want %s", path, code, table.Rows, want)
		}
		var wide []string
		for _, c := range table.ColumnDefinitions {
			if c.Priority > 0 {
				wide = append(wide, c.Name)
			}
		}
		if got := strings.Join(wide, ","); got != "IP,Node,Nominated Node,Readiness Gates" {
			t.Errorf("%s: columns of -o wide: %s", path, got)
		}
		var object metav1.PartialObjectMetadata
		if err := json.Unmarshal(table.Rows[0].Object.Raw, &object); err != nil || object.Kind != "PartialObjectMetadata" || object.Name != "web-0" {
			t.Errorf("%s: the row's object is %s (%v)", path, table.Rows[0].Object.Raw, err)
		}
	}
}

// Every kind has as many cells as columns, and a custom resource a name and an age.
func TestTableOfEveryKind(t *testing.T) {
	store := newStore(t, 3, 60)
	server := apiserver.New(store, apiserver.Config{})
	for _, r := range apiserver.Resources() {
		path := "/api/" + r.Version + "/" + r.Name
		if r.Group != "" {
			path = "/apis/" + r.Group + "/" + r.Version + "/" + r.Name
		}
		_, _, body := ask(t, server, http.MethodGet, path, asTable)
		table := decodeTable(t, body)
		if len(table.Rows) != store.Len(r.Name) {
			t.Errorf("%s: %d rows for %d objects", r.Name, len(table.Rows), store.Len(r.Name))
		}
		if len(table.ColumnDefinitions) < 3 && r.Name != "limitranges" {
			t.Errorf("%s: only the columns %v", r.Name, table.ColumnDefinitions)
		}
		for _, row := range table.Rows {
			if len(row.Cells) != len(table.ColumnDefinitions) {
				t.Fatalf("%s: %d cells in %d columns", r.Name, len(row.Cells), len(table.ColumnDefinitions))
			}
		}
	}
}

// A Table contains no value of a Secret unless the client asks for whole objects.
func TestTableOfSecretsWithoutData(t *testing.T) {
	store := emptyStore(t)
	put(t, store, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}, Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{"key": []byte("value")},
	})
	server := apiserver.New(store, apiserver.Config{})
	for include, want := range map[string]bool{"": false, "?includeObject=Metadata": false, "?includeObject=None": false, "?includeObject=Object": true} {
		_, _, body := ask(t, server, http.MethodGet, "/api/v1/secrets"+include, asTable)
		if bytes.Contains(body, []byte("dmFsdWU=")) != want {
			t.Errorf("%q: the value is in the answer: %t, want %t: %s", include, !want, want, body)
		}
		if cells := fmt.Sprint(decodeTable(t, body).Rows[0].Cells[:3]); cells != "[s Opaque 1]" {
			t.Errorf("%q: cells %s", include, cells)
		}
	}
}

// The events of a watch are Tables of one row; the first has the columns.
func TestTableWatch(t *testing.T) {
	store := emptyStore(t)
	put(t, store, bare("ns", "a"))
	put(t, store, bare("ns", "b"))
	_, running := start(t, store, apiserver.Config{})
	request, err := http.NewRequestWithContext(testContext(t), http.MethodGet, running.URL+"/api/v1/pods?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", asTable)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for i, want := range []string{"a", "b"} {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		var event metav1.WatchEvent
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil || event.Type != string(watch.Added) {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		table := decodeTable(t, event.Object.Raw)
		if table.Rows[0].Cells[0] != want || (len(table.ColumnDefinitions) > 0) != (i == 0) {
			t.Errorf("event %d: %s", i, event.Object.Raw)
		}
	}
}

// Label selectors select in lists and watches; an object that loses the label is
// deleted from the watch.
func TestLabelSelectors(t *testing.T) {
	store := emptyStore(t)
	labelled := func(name, app string) *corev1.Pod {
		pod := bare("ns", name)
		pod.Labels = map[string]string{"app": app}
		return pod
	}
	put(t, store, labelled("a", "web"))
	put(t, store, labelled("b", "db"))
	_, running := start(t, store, apiserver.Config{})
	pods := client(t, running.URL, protobuf).CoreV1().Pods("ns")
	selector := metav1.ListOptions{LabelSelector: "app in (web)"}
	list, err := pods.List(testContext(t), selector)
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "a" {
		t.Fatalf("got %v, %v; want pod a", list, err)
	}
	selector.ResourceVersion = list.ResourceVersion
	w, err := pods.Watch(testContext(t), selector)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	put(t, store, labelled("b", "web"))
	put(t, store, labelled("a", "db"))
	for _, want := range []string{"ADDED b", "DELETED a"} {
		event := <-w.ResultChan()
		if pod, ok := event.Object.(*corev1.Pod); !ok || string(event.Type)+" "+pod.Name != want {
			t.Fatalf("got %v, want %s", event, want)
		}
	}
}
