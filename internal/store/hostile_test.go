package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/metric"
)

// panicky is a sink in which one family cannot be emitted for objects of a name:
// to the table it is as if the row had panicked.
type panicky struct {
	*exposition.Writer
	family, name string
}

func (p *panicky) Sample(s *metric.Sample) {
	if s.Desc.Name == p.family && s.Values[1] == p.name {
		panic("hostile object")
	}
	p.Writer.Sample(s)
}

func TestObjectThatARowPanicsOn(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "1")
	var log bytes.Buffer
	r := New(Config{Table: replicaSets(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	r.renderers.New = func() any {
		w := exposition.NewWriter(r.table.Schema())
		return &renderer{lines: w, emitter: metric.NewEmitter(&panicky{w, "kube_replicaset_owner", "bad"})}
	}
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("good", 1))
	f.Put(replicaSet("bad", 2))
	f.Put(replicaSet("later", 3))
	f.Commit()
	wantReplicas(t, r, "good=1", "bad=2", "later=3")
	body := shown(t, r.Snapshot(Slice{}))
	for name, want := range map[string]bool{"good": true, "bad": false, "later": true} {
		if got := strings.Contains(body, `kube_replicaset_owner{namespace="shop",replicaset="`+name); got != want {
			t.Errorf("owner of %s is shown: %t, want %t", name, got, want)
		}
	}
	if got := r.Stats().Failures; got != 1 {
		t.Errorf("%d failures, want 1", got)
	}
	for _, want := range []string{"resource=replicasets", "namespace=shop", "name=bad", "kube_replicaset_owner", "hostile object"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %s: %s", want, log.String())
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, log.String())
	}
}

func TestObjectOfAWrongType(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Put(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "pod"}})
	f.Commit()
	wantReplicas(t, r, "a=1")
	if body := shown(t, r.Snapshot(Slice{})); strings.Count(body, "kube_replicaset_created{") != 1 {
		t.Errorf("want one object's samples:\n%s", body)
	}
	if got := r.Stats().Failures; got != 1 {
		t.Errorf("%d failures, want 1", got)
	}
}

// unlocked is a log handler that fails the test when the Feed is locked.
type unlocked struct {
	slog.Handler
	t    *testing.T
	feed **Feed
	told *int
}

func (h unlocked) Enabled(context.Context, slog.Level) bool { return true }

func (h unlocked) Handle(context.Context, slog.Record) error {
	*h.told++
	if !(*h.feed).mu.TryLock() {
		h.t.Error("a log record is written with the store locked: scrapes wait for the log")
		return nil
	}
	(*h.feed).mu.Unlock()
	return nil
}

func TestLoggingDoesNotBlockScrapes(t *testing.T) {
	var f *Feed
	var told int
	r := New(Config{Table: replicaSets(t), Logger: slog.New(unlocked{slog.DiscardHandler, t, &f, &told})})
	f = r.NewFeed()
	f.Put(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "not-a-replicaset"}})
	if told != 1 {
		t.Errorf("%d log records, want 1", told)
	}
}

// TestObjectWithoutName: it is counted and logged, and nothing of it is shown.
func TestObjectWithoutName(t *testing.T) {
	var log bytes.Buffer
	r := New(Config{Table: replicaSets(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	f := r.NewFeed()
	f.Begin()
	f.Put(&appsv1.ReplicaSet{})
	f.Put(replicaSet("named", 1))
	f.Commit()
	wantReplicas(t, r, "named=1")
	if r.Stats().Failures != 1 || !strings.Contains(log.String(), "object has no name") {
		t.Errorf("%d failures are counted, want 1; log: %s", r.Stats().Failures, &log)
	}
}

func TestObjectWithTooManySeries(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "1")
	var log bytes.Buffer
	r := New(Config{Table: replicaSets(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	f := r.NewFeed()
	o := replicaSet("owned", 1)
	for i := range maxLines {
		o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{Name: strconv.Itoa(i)})
	}
	f.Begin()
	f.Put(o)
	f.Commit()
	owners := func() int { return strings.Count(shown(t, r.Snapshot(Slice{})), "kube_replicaset_owner{") }
	if got := owners(); got != maxLines || r.Stats().Failures != 0 {
		t.Errorf("%d owners are shown, want %d: %s", got, maxLines, &log)
	}
	o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{})
	f.Put(o)
	wantReplicas(t, r, "owned=1")
	if got := owners(); got != 0 || r.Stats().Failures != 1 {
		t.Errorf("%d owners are shown and %d failures counted, want 0 and 1", got, r.Stats().Failures)
	}
	if want := "kube_replicaset_owner: 65536 series of one object: must be at most 65535"; !strings.Contains(log.String(), want) {
		t.Errorf("log lacks %q: %s", want, &log)
	}
}

// TestCorruptMemoryFailsOneScrape: corrupt memory fails the request that reads it, and
// nothing else. An object that could not be stored can be stored later.
func TestCorruptMemoryFailsOneScrape(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "0")
	r := New(Config{Table: replicaSets(t)})
	f := r.NewFeed()
	f.Begin()
	for i := range 3 * blockSlots {
		f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
	}
	f.Commit()
	s := r.Snapshot(Slice{})
	form := s.blocks[1][1].form.Load()
	sound := form.sealed.Data
	for _, c := range []struct {
		format   exposition.Format
		encoding exposition.Encoding
	}{{exposition.Text, exposition.Identity}, {exposition.Text, exposition.Zstd}, {exposition.Protobuf, exposition.Gzip}} {
		form.sealed.Data = []byte("bad")
		if p := catch(func() {
			b := NewBody(NewConverter(r.packer), c.format, []*Snapshot{s}, nil)
			b.Encode(c.encoding)
			_ = b.Write(io.Discard, c.encoding)
		}); !strings.Contains(fmt.Sprint(p), "store: inflate") {
			t.Errorf("format %d, encoding %d: panics with %v", c.format, c.encoding, p)
		}
		form.sealed.Data = sound
		shown(t, s)
	}
	form.sealed.Data = []byte("bad")
	name := fmt.Sprint("rs-", blockSlots)
	o := replicaSet(name, 2)
	if p := catch(func() { f.Put(o) }); p == nil {
		t.Error("an object is stored in bad memory")
	}
	form.sealed.Data = sound
	f.Put(o)
	if body := shown(t, r.Snapshot(Slice{})); !strings.Contains(body, line(name, 2)) {
		t.Error("what could not be stored once is not stored the next time")
	}
}
