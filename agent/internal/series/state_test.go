package series

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
)

// fixture is a state and its program.
type fixture struct {
	testing.TB
	program *compile.Program
	state   *State
}

func newFixture(t testing.TB, s *naming.Scheme) fixture {
	t.Helper()
	p, err := compile.Compile(&compile.Config{Scheme: s, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{t, p, New(p, nil, "")}
}

// source resolves objects and puts them into a set.
type source struct {
	testing.TB
	*Objects
	*resolve.Resolver
}

func (x fixture) source(resource string) *source {
	x.Helper()
	for _, r := range x.program.Resources {
		if r.Table.Name == resource {
			return &source{x.TB, x.state.NewObjects(r), resolve.New(r, nil)}
		}
	}
	x.Fatalf("%s is not read", resource)
	return nil
}

func (s *source) add(o kind.Object) {
	s.Helper()
	d, err := s.Resolve(o, nil)
	if err != nil {
		s.Fatal(err)
	}
	s.Put(types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}, d)
}

// Without flushes, removed objects use no memory, and changes are not lost.
func TestRemovedObjectsAreReleasedWithoutFlushes(t *testing.T) {
	x := newFixture(t, &naming.Scheme{
		Rules:      []naming.Rule{{Family: "kube_secret_info"}},
		Aggregates: []naming.Aggregate{{Family: "kube_secret_info", Metric: "n", Op: naming.Count, By: []string{"namespace"}}},
		Joins: map[string]naming.Join{
			"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}},
			"kube_secret_labels":    {Match: []string{"namespace", "secret"}, Get: []string{"label_version"}},
		},
	})
	secrets, namespaces := x.source("secrets"), x.source("namespaces")
	for _, s := range []*source{secrets, namespaces} {
		s.Begin()
		s.Commit()
	}
	for i := range 3000 {
		name := fmt.Sprint("ns", i)
		secrets.add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "s"}})
		secrets.Delete(types.NamespacedName{Namespace: name, Name: "s"})
		// Some remaining objects are marked to be rebuilt for their own sake.
		namespaces.add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{"team": name}}})
		for j := range 10 {
			secrets.add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: fmt.Sprint("s", j), Labels: map[string]string{"version": name}}})
		}
	}
	if n := len(x.state.dirty); n > 2*minDirty {
		t.Errorf("%d marked for rebuild, of 11", n)
	}
	seen := 0
	for s := range x.state.Snapshot().Series(time.Unix(0, 0)) {
		if s.Block.Tags[0].Value != "ns2999" {
			t.Errorf("%s has the tags %v", s.Metric.Name, s.Block.Tags)
		}
		seen++
	}
	if seen != 10+1 {
		t.Errorf("got %d series, want 11", seen)
	}
}
