package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// newResource returns an empty store of ReplicaSets, with all their labels, that
// checks itself after each change.
func newResource(t *testing.T) *Resource {
	t.Helper()
	t.Setenv("KUBESTATE_VALIDATE", "1")
	return New(Config{Table: replicaSets(t), Logger: slog.New(slog.DiscardHandler)})
}

func replicaSets(t testing.TB) *kind.Table {
	t.Helper()
	table, err := kind.ReplicaSets.Plan(kind.Options{Labels: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func replicaSet(name string, replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, CreationTimestamp: metav1.Unix(1_500_000_000, 0),
			Labels: map[string]string{"app": name},
		},
		Status: appsv1.ReplicaSetStatus{Replicas: replicas},
	}
}

// line is the line with the replicas of replicaSet(name, replicas).
func line(name string, replicas int) string {
	return fmt.Sprintf("kube_replicaset_status_replicas{namespace=\"shop\",replicaset=%q} %d\n", name, replicas)
}

// write writes a body of one snapshot.
func write(w io.Writer, s *Snapshot, f exposition.Format, e exposition.Encoding) error {
	return NewBody(NewConverter(s.resource.packer), f, []*Snapshot{s}, nil).Write(w, e)
}

// shown returns a snapshot as text.
func shown(t *testing.T, s *Snapshot) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b, s, exposition.Text, exposition.Identity); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantReplicas checks which objects r shows, each as "name=replicas".
func wantReplicas(t *testing.T, r *Resource, want ...string) {
	t.Helper()
	var got []string
	for l := range strings.Lines(shown(t, r.Snapshot(Slice{}))) {
		if rest, ok := strings.CutPrefix(l, `kube_replicaset_status_replicas{namespace="shop",replicaset="`); ok {
			name, rest, _ := strings.Cut(rest, `"} `)
			got = append(got, name+"="+strings.TrimSpace(rest))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("shown are %q, want %q", got, want)
	}
}

func TestSnapshotStaysAsItIs(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	for i := range 3 * blockSlots {
		f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
	}
	f.Commit()
	s := r.Snapshot(Slice{})
	before := shown(t, s)
	for i := range 3 * blockSlots {
		f.Put(replicaSet(fmt.Sprint("rs-", i), int32(i)*1000))
		if i%5 == 0 {
			f.Delete("shop", fmt.Sprint("rs-", i))
		}
	}
	f.Put(replicaSet("new", 7))
	if diff := cmp.Diff(before, shown(t, s)); diff != "" {
		t.Errorf("changes show in an old snapshot:\n%s", diff)
	}
	f.Begin()
	f.Commit()
	if diff := cmp.Diff(before, shown(t, s)); diff != "" {
		t.Errorf("a relist shows in an old snapshot:\n%s", diff)
	}
	if got := shown(t, r.Snapshot(Slice{})); got != "" {
		t.Errorf("the new snapshot is not empty:\n%s", got)
	}
}

func TestStats(t *testing.T) {
	r := newResource(t)
	if got := r.Stats(); got != (Stats{}) {
		t.Errorf("without feeds: %+v, want nothing", got)
	}
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Put(replicaSet("b", 2))
	f.Put(replicaSet("b", 20))
	f.Commit()
	samples, size := 0, 0
	for l := range strings.Lines(shown(t, r.Snapshot(Slice{}))) {
		if l[0] != '#' {
			samples++
			size += len(l)
		}
	}
	want := Stats{Objects: 2, Series: samples, Bytes: size, Synced: true}
	if got := r.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWriteBeginsEachFamilyWithItsHeader(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Commit()
	for _, format := range []exposition.Format{exposition.Text, exposition.OpenMetrics} {
		var got bytes.Buffer
		if err := write(&got, r.Snapshot(Slice{}), format, exposition.Identity); err != nil {
			t.Fatal(err)
		}
		var want []byte
		w := exposition.NewWriter(r.table.Schema())
		if err := r.table.Collect(replicaSet("a", 1), metric.NewEmitter(w)); err != nil {
			t.Fatal(err)
		}
		for i := range r.table.Schema().Families {
			want = exposition.AppendHeader(want, &r.table.Schema().Families[i], format)
			want = append(want, w.Lines(i)...)
		}
		want = append(want, format.Trailer()...)
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("format %d (-want +got):\n%s", format, diff)
		}
	}
}

func TestTableWithoutFamilies(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "1")
	none, err := kind.ReplicaSets.Plan(kind.Options{Keep: func(*metric.Desc) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Table: none, Logger: slog.New(slog.DiscardHandler)})
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Commit()
	if got := shown(t, r.Snapshot(Slice{})); got != "" {
		t.Errorf("no families, but text:\n%s", got)
	}
	f.Delete("shop", "a")
}

// failing is a writer that fails after some bytes.
type failing struct {
	left           int
	err            error
	after, largest int // writes behind the first that failed; the length of the largest
}

func (w *failing) Write(p []byte) (int, error) {
	w.largest = max(w.largest, len(p))
	if w.left < 0 {
		w.after++
	}
	if w.left -= len(p); w.left < 0 {
		return 0, w.err
	}
	return len(p), nil
}

func TestWriteEndsWithTheFirstError(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Commit()
	s := r.Snapshot(Slice{})
	broken := errors.New("broken pipe")
	for _, e := range encodings {
		var whole bytes.Buffer
		if err := write(&whole, s, exposition.Text, e); err != nil {
			t.Fatal(err)
		}
		for left := range whole.Len() {
			if err := write(&failing{left: left, err: broken}, s, exposition.Text, e); !errors.Is(err, broken) {
				t.Fatalf("encoding %d, after %d of %d bytes: error %v, want %v", e, left, whole.Len(), err, broken)
			}
		}
		if err := write(&failing{left: whole.Len(), err: broken}, s, exposition.Text, e); err != nil {
			t.Errorf("encoding %d, all bytes written: %v", e, err)
		}
	}
}

// TestNothingIsWrittenAfterAnError: a client that disconnects halfway costs
// nothing more.
func TestNothingIsWrittenAfterAnError(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	rng := rand.New(rand.NewPCG(1, 2))
	f.Begin()
	for i := range 20 * blockSlots {
		o := replicaSet(fmt.Sprint("rs-", i), 1)
		o.Labels["random"] = fmt.Sprintf("%x%x", rng.Uint64(), rng.Uint64()) // which hardly compresses
		f.Put(o)
	}
	f.Commit()
	s := r.Snapshot(Slice{})
	for _, e := range encodings {
		var whole bytes.Buffer
		if err := write(&whole, s, exposition.Text, e); err != nil {
			t.Fatal(err)
		}
		w := &failing{left: whole.Len() / 4, err: errors.New("broken pipe")}
		if err := write(w, s, exposition.Text, e); err == nil || w.after > 0 || w.largest > batchSize+blockSlots<<10 {
			t.Errorf("encoding %d: error %v, %d writes after it, the largest of %d bytes of %d", e, err, w.after, w.largest, whole.Len())
		}
	}
}

// TestObjectsStayInTheirSlice: what is added and removed moves no other object.
func TestObjectsStayInTheirSlice(t *testing.T) {
	r := newResource(t)
	first, second := r.NewFeed(), r.NewFeed()
	const n = 3 // slices
	sliceOf := func() map[string]int {
		in := map[string]int{}
		for i := range n {
			for l := range strings.Lines(shown(t, r.Snapshot(Slice{i, n}))) {
				if rest, ok := strings.CutPrefix(l, "kube_replicaset_status_replicas{"); ok {
					name, _, _ := strings.Cut(rest, "} ")
					if _, twice := in[name]; twice {
						t.Errorf("%s is in two slices", name)
					}
					in[name] = i
				}
			}
		}
		return in
	}
	for i, f := range []*Feed{first, second} {
		f.Begin()
		for j := range 5 * blockSlots {
			f.Put(replicaSet(fmt.Sprint("rs-", i, "-", j), 1))
		}
		f.Commit()
	}
	before := sliceOf()
	if len(before) != 10*blockSlots {
		t.Fatalf("%d objects are in slices, want %d", len(before), 10*blockSlots)
	}
	for j := range 2 * blockSlots {
		first.Put(replicaSet(fmt.Sprint("new-", j), 1))
		second.Delete("shop", fmt.Sprint("rs-1-", 3*j))
	}
	for name, slice := range sliceOf() {
		if was, ok := before[name]; ok && was != slice {
			t.Fatalf("%s was in slice %d and is in %d", name, was, slice)
		}
	}
}
