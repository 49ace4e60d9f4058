package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/kubestate/kubestate/agent/naming"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Where no runs are made, what has gone takes no memory, and what has changed is not
// forgotten.
func TestGoneObjectsAreForgottenWithoutRuns(t *testing.T) {
	a, err := New(Config{Scheme: &naming.Scheme{
		Rules:      []naming.Rule{{Family: "kube_secret_info"}},
		Aggregates: []naming.Aggregate{{Family: "kube_secret_info", Metric: "n", Op: naming.Count, By: []string{"namespace"}}},
		Joins: map[string]naming.Join{
			"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}},
			"kube_secret_labels":    {Match: []string{"namespace", "secret"}, Get: []string{"label_version"}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	feed := func(resource string) *Feed {
		f, err := a.NewFeed(resource)
		if err != nil {
			t.Fatal(err)
		}
		f.Begin()
		f.Commit()
		return f
	}
	secrets, namespaces := feed("secrets"), feed("namespaces")
	for i := range 3000 {
		name := fmt.Sprint("ns", i)
		secrets.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "s"}})
		secrets.Delete(name, "s")
		// Some that stay are to be made anew, and then are for their own sake.
		namespaces.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{"team": name}}})
		for j := range 10 {
			secrets.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: fmt.Sprint("s", j), Labels: map[string]string{"version": name}}})
		}
	}
	if n := len(a.state.dirty); n > 2*minDirty {
		t.Errorf("%d are to be made anew, of 11 things", n)
	}
	seen := 0
	for s := range a.NewReader().Run(time.Unix(0, 0)).Series {
		if s.Block.Tags[0].Value != "ns2999" {
			t.Errorf("%s has the tags %v", s.Metric.Name, s.Block.Tags)
		}
		seen++
	}
	if seen != 10+1 {
		t.Errorf("there are %d series, want 11", seen)
	}
}
