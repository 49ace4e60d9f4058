package kubestate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/metric"
)

// A store of your own receives objects as they change. This one keeps their samples and
// reports which of them appear and disappear. One watch feeds it and an Exporter.
func Example_ownStore() {
	exporter, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.Namespaces}})
	if err != nil {
		fmt.Println(err)
		return
	}
	feed, err := exporter.NewFeed(kind.Namespaces.Resource)
	if err != nil {
		fmt.Println(err)
		return
	}
	// The store has its own table, independent of the Exporter.
	table, err := kind.Namespaces.Plan(kind.Options{
		Keep: func(d *metric.Desc) bool {
			return d.Name == "kube_namespace_labels" || d.Name == "kube_namespace_status_phase"
		},
		Labels: []string{"team"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// kubewatch.Watch{Table: table, Store: store} would feed it from an API server.
	store := kubewatch.Tee(feed, newSampleStore(table))
	store.Begin()
	store.Put(namespaceOf("shop", "checkout"))
	store.Put(namespaceOf("billing", "money"))
	store.Commit()
	store.Put(namespaceOf("shop", "checkout")) // no sample changed
	store.Put(namespaceOf("shop", "web"))
	store.Begin() // a relist, after an outage
	store.Put(namespaceOf("shop", "web"))
	store.Commit()
	fmt.Println("the Exporter stores", exporter.Stats(kind.Namespaces.Resource).Objects, "object")
	// Output:
	// + kube_namespace_labels{namespace=shop,label_team=checkout} 1
	// + kube_namespace_status_phase{namespace=shop,phase=Active} 1
	// + kube_namespace_labels{namespace=billing,label_team=money} 1
	// + kube_namespace_status_phase{namespace=billing,phase=Active} 1
	// + kube_namespace_labels{namespace=shop,label_team=web} 1
	// - kube_namespace_labels{namespace=shop,label_team=checkout} 1
	// - kube_namespace_labels{namespace=billing,label_team=money} 1
	// - kube_namespace_status_phase{namespace=billing,phase=Active} 1
	// the Exporter stores 1 object
}

func namespaceOf(name, team string) *corev1.Namespace {
	return &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": team}},
		Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
	}
}

// sampleStore keeps the samples of each object. It is a kubewatch.Store.
type sampleStore struct {
	table   *kind.Table
	mu      sync.Mutex
	emitter *metric.Emitter
	current []string // samples of the object that is being collected
	list    int      // number of the current or last list
	objects map[objectKey]storedObject
}

type objectKey struct{ namespace, name string }

type storedObject struct {
	samples []string
	list    int // the last list with the object
}

func newSampleStore(table *kind.Table) *sampleStore {
	s := &sampleStore{table: table, objects: map[objectKey]storedObject{}}
	s.emitter = metric.NewEmitter(collector{s})
	return s
}

func (s *sampleStore) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list++
}

func (s *sampleStore) Put(o kind.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
	if err := s.table.Collect(o, s.emitter); err != nil {
		fmt.Println(err) // families that cannot be computed are left out
	}
	s.replace(objectKey{o.GetNamespace(), o.GetName()}, s.current)
}

func (s *sampleStore) Delete(namespace, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(objectKey{namespace, name}, nil)
	delete(s.objects, objectKey{namespace, name})
}

// Commit removes objects that the list did not have.
func (s *sampleStore) Commit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, o := range s.objects {
		if o.list != s.list {
			s.replace(k, nil)
			delete(s.objects, k)
		}
	}
}

func (s *sampleStore) replace(k objectKey, samples []string) {
	old := s.objects[k].samples
	report("+", samples, old)
	report("-", old, samples)
	s.objects[k] = storedObject{samples, s.list}
}

// report prints what is in samples and not in others.
func report(sign string, samples, others []string) {
	for _, sample := range samples {
		if !slices.Contains(others, sample) {
			fmt.Println(sign, sample)
		}
	}
}

// collector is the Sink of a sampleStore. Samples are valid only during the call, so it
// copies them.
type collector struct{ *sampleStore }

func (collector) Begin(*metric.Schema, []string) {}

func (c collector) Sample(s *metric.Sample) {
	if s.Value == 0 {
		return // the phases that the Namespace is not in
	}
	var labels []string
	for i := range s.Names {
		labels = append(labels, s.Names[i]+"="+s.Values[i])
	}
	c.current = append(c.current, fmt.Sprintf("%s{%s} %v", s.Desc.Name, strings.Join(labels, ","), s.Value))
}
