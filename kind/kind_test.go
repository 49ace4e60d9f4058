package kind

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/metric"
)

// names is a sink that records the family of each sample.
type names struct{ got []string }

func (*names) Begin(*metric.Schema, []string) {}

func (n *names) Sample(s *metric.Sample) { n.got = append(n.got, s.Desc.Name) }

// A row that panics affects neither the other rows nor the program.
func TestCollectSurvivesPanics(t *testing.T) {
	row := func(name string, emit func(e *metric.Emitter)) Row[corev1.Namespace] {
		return each(name, alpha, "Help.", nil, func(_ *corev1.Namespace, e *metric.Emitter) { emit(e) })
	}
	table := define(Kind[corev1.Namespace]{
		Resource: Resource{Name: "things"},
		Begin:    func(_ *corev1.Namespace, e *metric.Emitter, s *metric.Schema) { e.Begin(s) },
		Rows: []Row[corev1.Namespace]{
			row("first", func(*metric.Emitter) { panic("one") }),
			row("second", func(e *metric.Emitter) { e.Add(1) }),
			row("third", func(e *metric.Emitter) { e.Add(1); panic("three") }),
			row("fourth", func(e *metric.Emitter) { e.Add(1) }),
			row("last", func(e *metric.Emitter) { e.Add(1, "label that the family does not have") }),
		},
	})
	var n names
	err := table.Collect(&corev1.Namespace{}, metric.NewEmitter(&n))
	if got := strings.Join(n.got, " "); got != "second third fourth" {
		t.Errorf("samples of %q", got)
	}
	for _, want := range []string{"first: one", "third: three", "last: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if err != nil && strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error %q does not list three problems", err)
	}
}
