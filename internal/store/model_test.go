package store

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/metric"
)

// A model says in the plainest way what a Feed must hold.
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
func body(r *Resource, models []*model, format exposition.Format) string {
	families := r.table.Schema().Families
	lines := make([][]byte, len(families))
	objects := 0
	for _, m := range models {
		if !m.published {
			continue
		}
		for _, o := range m.objects {
			objects++
			w := exposition.NewWriter(r.table.Schema())
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

// relist reads most of what is there again and something new, and half the time
// gives up before the end.
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

// scrape takes snapshots until done: each shows every object in one version, and
// writes the same whenever it is asked.
func scrape(t *testing.T, r *Resource, done *atomic.Bool) (bodies int) {
	var early *Snapshot
	var earlyText string
	for !done.Load() {
		s := r.Snapshot(Slice{})
		var first, second bytes.Buffer
		if err := write(&first, s, exposition.OpenMetrics, exposition.Identity); err != nil {
			t.Error(err)
		}
		if _, err := versions(first.String()); err != nil {
			t.Error(err)
			return bodies
		}
		if early == nil {
			early, earlyText = s, first.String()
		}
		e := encodings[bodies%len(encodings)]
		if err := write(&second, early, exposition.OpenMetrics, e); err != nil {
			t.Error(err)
		}
		if again := decode(t, second.Bytes(), e); again != earlyText {
			t.Errorf("a snapshot changed in encoding %d:\n%s", e, cmp.Diff(earlyText, again))
			return bodies
		}
		if bodies++; bodies%10 == 0 {
			early = nil
		}
	}
	return bodies
}

var encodings = []exposition.Encoding{exposition.Identity, exposition.Gzip, exposition.Zstd}

// inAllEncodings returns the body of a snapshot, which must be the same in every
// encoding and as long as it was said to be.
func inAllEncodings(t *testing.T, s *Snapshot, f exposition.Format) string {
	t.Helper()
	var whole string
	for _, e := range encodings {
		var got bytes.Buffer
		b := NewBody(s.resource.packer, f, []*Snapshot{s})
		length, known := b.Encode(e)
		if err := b.Write(&got, e); err != nil {
			t.Fatal(err)
		}
		if known && length != got.Len() {
			t.Fatalf("format %d, encoding %d: %d bytes announced, %d written", f, e, length, got.Len())
		}
		decoded := decode(t, got.Bytes(), e)
		if e == exposition.Identity {
			whole = decoded
		}
		if decoded != whole {
			t.Fatalf("format %d, encoding %d (-identity +decoded):\n%s", f, e, cmp.Diff(whole, decoded))
		}
	}
	return whole
}

// decode decodes a body; of gzip it takes one member and nothing behind it.
func decode(t *testing.T, body []byte, e exposition.Encoding) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch e {
	case exposition.Gzip:
		source := bytes.NewReader(body)
		member, err := gzip.NewReader(source)
		if err != nil {
			t.Error(err)
			return ""
		}
		member.Multistream(false)
		r = io.MultiReader(member, source)
	case exposition.Zstd:
		frames, err := zstd.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return ""
		}
		defer frames.Close()
		r = frames
	}
	decoded, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(decoded)
}

// protobuf returns what a body of the text format is in protobuf.
func protobuf(r *Resource, text string) string {
	families := r.table.Schema().Families
	var b []byte
	for i := range families {
		var lines []byte
		for l := range strings.Lines(text) {
			if strings.HasPrefix(l, families[i].Name+"{") {
				lines = append(lines, l...)
			}
		}
		if len(lines) == 0 {
			continue
		}
		b = exposition.AppendProtobufHead(b, &families[i], exposition.ProtobufSize(lines, &families[i]))
		b = exposition.AppendProtobuf(b, lines, &families[i])
	}
	return string(b)
}

// TestStoreAgreesWithModel does thousands of random operations while others
// scrape, and compares the store with a model that renders everything anew.
func TestStoreAgreesWithModel(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "1")
	steps := 5_000
	if testing.Short() || raceDetector {
		steps = 1_500
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := New(Config{Table: replicaSets(t), Logger: slog.New(slog.DiscardHandler)})
	m := &mutator{rng: rand.New(rand.NewPCG(seed, 0))}
	for range 2 {
		m.feeds = append(m.feeds, r.NewFeed())
		m.models = append(m.models, &model{objects: map[key]*appsv1.ReplicaSet{}, seen: map[key]bool{}})
	}
	var done atomic.Bool
	var scrapers sync.WaitGroup
	for range 2 {
		scrapers.Go(func() { t.Logf("%d concurrent snapshots", scrape(t, r, &done)) })
	}
	defer scrapers.Wait()
	defer done.Store(true)
	for step := range steps {
		m.step()
		if step%100 != 0 {
			continue
		}
		if step%500 == 0 { // as if time had passed
			sealOpen(m.feeds[0])
			m.feeds[1].sealQuiet()
		}
		s := r.Snapshot(Slice{})
		for _, format := range []exposition.Format{exposition.Text, exposition.OpenMetrics} {
			if diff := cmp.Diff(sorted(body(r, m.models, format)), sorted(inAllEncodings(t, s, format))); diff != "" {
				t.Fatalf("seed %d, step %d, format %d (-model +store):\n%s", seed, step, format, diff)
			}
		}
		want := protobuf(r, inAllEncodings(t, s, exposition.Text))
		if diff := cmp.Diff(want, inAllEncodings(t, s, exposition.Protobuf)); diff != "" {
			t.Fatalf("seed %d, step %d, protobuf (-of the text +store):\n%s", seed, step, diff)
		}
		for _, f := range m.feeds {
			f.mu.Lock()
			err := f.validate()
			f.mu.Unlock()
			if err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
	}
}
