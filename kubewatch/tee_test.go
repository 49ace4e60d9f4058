package kubewatch_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// journal notes what a store is told, in a list that several stores share.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

type journaling struct {
	*journal
	name string
}

func (j journaling) Begin()            { j.note("%s begin", j.name) }
func (j journaling) Put(o kind.Object) { j.note("%s put %s", j.name, o.GetName()) }
func (j journaling) Delete(namespace, name string) {
	j.note("%s delete %s/%s", j.name, namespace, name)
}
func (j journaling) Commit() { j.note("%s commit", j.name) }

func named(name string) kind.Object {
	o := kind.Pods.New()
	o.SetName(name)
	return o
}

func TestTee(t *testing.T) {
	j := &journal{}
	stores := []kubewatch.Store{journaling{j, "a"}, kubewatch.Tee(journaling{j, "b"}, journaling{j, "c"})}
	s := kubewatch.Tee(stores...)
	stores[0] = nil // what is made of the list later is no matter
	s.Begin()
	s.Put(named("p"))
	s.Commit()
	s.Delete("ns", "p")
	want := []string{
		"a begin", "b begin", "c begin", "a put p", "b put p", "c put p",
		"a commit", "b commit", "c commit", "a delete ns/p", "b delete ns/p", "c delete ns/p",
	}
	if !slices.Equal(j.lines, want) {
		t.Errorf("got %q, want %q", j.lines, want)
	}
	nobody := kubewatch.Tee()
	nobody.Begin()
	nobody.Put(named("p"))
	nobody.Commit()
}

// Each store sees every object however many goroutines put them.
func TestTeeConcurrently(t *testing.T) {
	a, b := &journal{}, &journal{}
	s := kubewatch.Tee(journaling{a, ""}, journaling{b, ""})
	var want []string
	var running sync.WaitGroup
	for g := range 8 {
		for i := range 50 {
			want = append(want, fmt.Sprintf(" put %d-%d", g, i))
		}
		running.Go(func() {
			for i := range 50 {
				s.Put(named(fmt.Sprintf("%d-%d", g, i)))
			}
		})
	}
	running.Wait()
	slices.Sort(want)
	for _, j := range []*journal{a, b} {
		slices.Sort(j.lines)
		if !slices.Equal(j.lines, want) {
			t.Errorf("%d calls, want %d", len(j.lines), len(want))
		}
	}
}
