package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/metric"
)

// A model is the simplest implementation of a Feed.
type model struct {
	objects   map[key]*appsv1.ReplicaSet
	seen      map[key]bool // since Begin
	published bool
}

func (m *model) begin() { m.seen = map[key]bool{} }

func (m *model) put(o *appsv1.ReplicaSet) {
	k := key{o.Namespace, o.Name}
	m.objects[k], m.seen[k] = o, true
}

func (m *model) commit() {
	maps.DeleteFunc(m.objects, func(k key, _ *appsv1.ReplicaSet) bool { return !m.seen[k] })
	m.published = true
}

// body renders everything afresh.
func body(r *Resource, z *zones, models []*model, format exposition.Format) string {
	families := r.table.Schema().Families
	lines := make([][]byte, len(families))
	objects := 0
	for _, m := range models {
		if !m.published {
			continue
		}
		for k, o := range m.objects {
			objects++
			w := exposition.NewWriter(r.table.Schema())
			tails := make([][]byte, len(families))
			for i := range families {
				if t := z.Tail(i); t >= 0 {
					tails[i] = z.labels(k).Tails[t]
				}
			}
			w.Tails(tails)
			if err := r.table.Collect(o, metric.NewEmitter(w)); err != nil {
				panic(err)
			}
			for i := range families {
				lines[i] = append(lines[i], w.Lines(i)...)
			}
		}
	}
	if objects == 0 {
		return format.Trailer()
	}
	var b []byte
	for i := range families {
		b = append(exposition.AppendHeader(b, &families[i], format), lines[i]...)
	}
	return string(append(b, format.Trailer()...))
}

// sorted returns body with the samples of each family in ascending order; the
// store is free to choose one.
func sorted(body string) string {
	lines := slices.Collect(strings.Lines(body))
	start := 0
	for i, l := range lines {
		if l[0] == '#' {
			slices.Sort(lines[start:i])
			start = i + 1
		}
	}
	slices.Sort(lines[start:])
	return strings.Join(lines, "")
}

// mutator applies random operations to feeds and to their models.
type mutator struct {
	rng    *rand.Rand
	feeds  []*Feed
	models []*model
	zones  *zones
	next   int // number of the next version of an object
}

// step does one operation, most often a change of one object.
func (m *mutator) step() {
	i := m.rng.IntN(len(m.feeds))
	f, model := m.feeds[i], m.models[i]
	name := fmt.Sprintf("rs-%d", m.rng.IntN(3*blockSlots))
	k := key{fmt.Sprintf("ns-%d", i), name}
	old := model.objects[k]
	put := func(o *appsv1.ReplicaSet) {
		f.Put(o)
		model.put(o)
	}
	switch p := m.rng.IntN(1000); {
	case p < 200 || old == nil && p < 600:
		put(m.object(k))
	case p < 300 && old != nil:
		put(old.DeepCopy())
	case p < 600 && old != nil:
		o := old.DeepCopy()
		m.decorate(o)
		put(o)
	case p < 700: // a label of another object changes
		m.zones.move(f, k, []string{"", "a", "bb", "none"}[m.rng.IntN(4)])
	case p < 985:
		f.Delete(k.namespace, k.name)
		delete(model.objects, k)
	case p < 993:
		m.relist(f, model)
	case p < 995: // a read that finds nothing
		f.Begin()
		f.Commit()
		model.begin()
		model.commit()
	case p < 998: // the start of a read; a later Begin forgets it, a later Commit ends it
		f.Begin()
		model.begin()
	default:
		f.Commit()
		model.commit()
	}
}

// relist lists most of the existing objects and some new ones, and aborts half the
// time.
func (m *mutator) relist(f *Feed, model *model) {
	f.Begin()
	model.begin()
	for _, o := range slices.Collect(maps.Values(model.objects)) {
		if m.rng.IntN(10) == 0 {
			continue
		}
		f.Put(o)
		model.put(o)
	}
	if m.rng.IntN(2) == 0 {
		f.Commit()
		model.commit()
	}
}

// object returns a new version of an object: the number of the version is the
// value of five families.
func (m *mutator) object(k key) *appsv1.ReplicaSet {
	m.next++
	v := int32(m.next)
	o := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: k.name, Generation: int64(v)},
		Status:     appsv1.ReplicaSetStatus{Replicas: v, ReadyReplicas: v, FullyLabeledReplicas: v, ObservedGeneration: int64(v)},
	}
	m.decorate(o)
	return o
}

// decorate gives an object other values in families without version.
func (m *mutator) decorate(o *appsv1.ReplicaSet) {
	o.Labels, o.OwnerReferences, o.Spec.Replicas = nil, nil, nil
	values := []string{"", "plain", "\"\\\n", "\xff\xfe", "# EOF\n", strings.Repeat("long ", 200)}
	for range m.rng.IntN(3) {
		o.Labels = map[string]string{fmt.Sprint("k", m.rng.IntN(3)): values[m.rng.IntN(len(values))]}
		o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{Kind: "Deployment", Name: fmt.Sprint(m.rng.IntN(9), len(o.OwnerReferences))})
	}
	if m.rng.IntN(2) == 0 {
		o.Spec.Replicas = new(m.rng.Int32N(3))
	}
	if m.rng.IntN(2) == 0 {
		o.CreationTimestamp = metav1.Unix(int64(m.rng.Int32()), 0)
	}
}

// versioned are the families whose value is the version of the object.
var versioned = []string{
	"kube_replicaset_status_replicas{", "kube_replicaset_status_fully_labeled_replicas{", "kube_replicaset_status_ready_replicas{",
	"kube_replicaset_status_observed_generation{", "kube_replicaset_metadata_generation{",
}

// versions returns the version of each object in a body, or an error where one
// object is shown in two versions or lacks a family.
func versions(body string) (map[string]string, error) {
	version, families := map[string]string{}, map[string]int{}
	for l := range strings.Lines(body) {
		for _, family := range versioned {
			rest, ok := strings.CutPrefix(l, family)
			if !ok {
				continue
			}
			object, v, _ := strings.Cut(rest, "} ")
			object, _, _ = strings.Cut(object, ",zone=") // as only some families have it
			object, _, _ = strings.Cut(object, ",word=")
			if old, ok := version[object]; ok && old != v {
				return nil, fmt.Errorf("%s is shown in versions %s and %s", object, old, v)
			}
			version[object] = v
			families[object]++
		}
	}
	for object, n := range families {
		if n != len(versioned) {
			return nil, fmt.Errorf("%s has %d of %d families", object, n, len(versioned))
		}
	}
	return version, nil
}

// TestStoreAgreesWithModel does thousands of random operations while others
// scrape, and compares the store with a model that renders everything from scratch.
func TestStoreAgreesWithModel(t *testing.T) {
	steps := 5_000
	if testing.Short() || raceDetector {
		steps = 1_500
	}
	agreesWithModel(t, 1, steps)
}

func FuzzStoreAgreesWithModel(f *testing.F) {
	f.Add(uint64(2))
	f.Fuzz(func(t *testing.T, seed uint64) { agreesWithModel(t, seed, 500) })
}

func agreesWithModel(t *testing.T, seed uint64, steps int) {
	r, z := zonedResource(t)
	m := &mutator{rng: rand.New(rand.NewPCG(seed, 0)), zones: z}
	for range 2 {
		m.feeds = append(m.feeds, r.NewFeed())
		m.models = append(m.models, &model{objects: map[key]*appsv1.ReplicaSet{}, seen: map[key]bool{}})
	}
	var done atomic.Bool
	var scrapers, started sync.WaitGroup
	for range 2 {
		started.Add(1)
		scrapers.Go(func() { (&scraper{resource: r}).run(t, &started, &done) })
	}
	defer scrapers.Wait()
	defer done.Store(true)
	started.Wait()
	for step := range steps {
		m.step()
		if step%100 != 0 {
			continue
		}
		if step%500 == 0 {
			sealOpen(m.feeds[0])
			m.feeds[1].sealQuiet()
		}
		if err := m.compare(t, r); err != nil {
			t.Fatalf("seed %d, step %d: %v", seed, step, err)
		}
	}
}

// compare compares the store with the models.
func (m *mutator) compare(t *testing.T, r *Resource) error {
	s := r.Snapshot(Slice{})
	for _, format := range formats[:2] {
		if diff := cmp.Diff(sorted(body(r, m.zones, m.models, format)), sorted(inAllEncodings(t, s, format))); diff != "" {
			return fmt.Errorf("format %d (-model +store):\n%s", format, diff)
		}
	}
	text := inAllEncodings(t, s, exposition.Text)
	if diff := cmp.Diff(protobuf(r, text), inAllEncodings(t, s, exposition.Protobuf)); diff != "" {
		return fmt.Errorf("protobuf (-of the text +store):\n%s", diff)
	}
	if diff := cmp.Diff(samples(text), samples(m.slices(t, r))); diff != "" {
		return fmt.Errorf("slices (-whole +together):\n%s", diff)
	}
	for _, f := range m.feeds {
		f.mu.Lock()
		err := f.validate()
		f.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// slices returns all of a random number of slices.
func (m *mutator) slices(t *testing.T, r *Resource) string {
	var all strings.Builder
	of := 1 + m.rng.IntN(5)
	for i := range of {
		all.WriteString(inAllEncodings(t, r.Snapshot(Slice{Index: i, Of: of}), exposition.Text))
	}
	return all.String()
}

// samples returns the lines of a body that are samples, in ascending order.
func samples(body string) []string {
	var lines []string
	for l := range strings.Lines(body) {
		if l[0] != '#' {
			lines = append(lines, l)
		}
	}
	slices.Sort(lines)
	return lines
}
