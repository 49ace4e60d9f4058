package store

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// zones is a Labeler: objects are in zones, and some families tell it, some with
// a further label that every object has, and some do not.
type zones struct {
	mu sync.Mutex
	of map[key]*Labels
}

func (z *zones) Tail(family int) int { return family%3 - 1 }

func (z *zones) Hold(_ *Feed, o kind.Object) *Labels {
	l := z.labels(key{o.GetNamespace(), o.GetName()})
	l.Lock()
	if l.Tails == nil {
		l.Tails = zoneTails("none")
	}
	return l
}

func (z *zones) HoldStored(_ *Feed, namespace, name string) *Labels {
	l := z.labels(key{namespace, name})
	l.Lock()
	return l
}

func (z *zones) labels(k key) *Labels {
	z.mu.Lock()
	defer z.mu.Unlock()
	l, ok := z.of[k]
	if !ok {
		l = &Labels{}
		z.of[k] = l
	}
	return l
}

// move puts an object into another zone.
func (z *zones) move(f *Feed, k key, zone string) {
	l := z.labels(k)
	l.Lock()
	defer l.Unlock()
	to := zoneTails(zone)
	f.Relabel(k.namespace, k.name, l.Tails, to)
	l.Tails = to
}

func zoneTails(zone string) [][]byte {
	if zone == "" {
		return [][]byte{nil, exposition.AppendLabel(nil, "word", "w")}
	}
	short := exposition.AppendLabel(nil, "zone", zone)
	return [][]byte{short, exposition.AppendLabel(slices.Clip(short), "word", "w")}
}

func zonedResource(t *testing.T) (*Resource, *zones) {
	t.Helper()
	t.Setenv("KUBESTATE_VALIDATE", "1")
	z := &zones{of: map[key]*Labels{}}
	return New(Config{Table: replicaSets(t), Logger: slog.New(slog.DiscardHandler), Labeler: z}), z
}

func TestLabelsStandAtTheEndOfLines(t *testing.T) {
	r, z := zonedResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	z.move(f, key{"shop", "a"}, `b"} 1`)
	z.move(f, key{"shop", "unknown"}, "b")
	f.Put(replicaSet("a", 2))
	f.Commit()
	names := r.Table().Schema().Families
	got := shown(t, r.Snapshot(Slice{}))
	for i := range names {
		var want string
		switch i % 3 {
		case 1:
			want = `,zone="b\"} 1"} `
		case 2:
			want = `,zone="b\"} 1",word="w"} `
		}
		for line := range strings.Lines(got) {
			rest, found := strings.CutPrefix(line, names[i].Name+"{")
			if found && (want != "" && !strings.Contains(rest, want) || want == "" && strings.Contains(rest, "zone=")) {
				t.Errorf("want %q in %s", want, line)
			}
		}
	}
}

// A store that was relabelled is as one that had the labels from the beginning,
// whatever the state of its cells.
func TestRelabel(t *testing.T) {
	r, z := zonedResource(t)
	f := r.NewFeed()
	random := rand.New(rand.NewPCG(1, 2))
	zone := map[string]string{}
	move := func(n int) {
		for range n {
			name := fmt.Sprintf("r-%d", random.IntN(200))
			zone[name] = []string{"", "a", "bb", "ccc"}[random.IntN(4)]
			z.move(f, key{"shop", name}, zone[name])
		}
	}
	f.Begin()
	for i := range 200 {
		f.Put(replicaSet(fmt.Sprintf("r-%d", i), int32(i)))
		if i > 100 {
			move(1) // blocks that are sealed before anybody sees them
		}
	}
	f.Commit()
	for range 5 {
		move(50)
		before := shown(t, r.Snapshot(Slice{}))
		snapshot := r.Snapshot(Slice{})
		sealOpen(f)
		move(20)
		for i := range 20 {
			f.Put(replicaSet(fmt.Sprintf("r-%d", i), random.Int32N(9)))
		}
		if diff := cmp.Diff(before, shown(t, snapshot)); diff != "" {
			t.Fatalf("a snapshot changed:\n%s", diff)
		}
	}

	fresh, freshZones := zonedResource(t)
	g := fresh.NewFeed()
	g.Begin()
	for name, where := range zone {
		freshZones.labels(key{"shop", name}).Tails = zoneTails(where)
	}
	replicas := map[string]int32{}
	for line := range strings.Lines(shown(t, r.Snapshot(Slice{}))) {
		var name string
		var n int32
		if _, err := fmt.Sscanf(strings.ReplaceAll(line, `"`, " "), "kube_replicaset_status_replicas{namespace= shop ,replicaset= %s", &name); err == nil {
			if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' '):], "%d", &n); err != nil {
				t.Fatal(err)
			}
			replicas[name] = n
		}
	}
	for i := range 200 {
		name := fmt.Sprintf("r-%d", i)
		g.Put(replicaSet(name, replicas[name]))
	}
	g.Commit()
	if diff := cmp.Diff(strings.Split(shown(t, fresh.Snapshot(Slice{})), "\n"), strings.Split(shown(t, r.Snapshot(Slice{})), "\n")); diff != "" {
		t.Errorf("-fresh +relabelled:\n%s", diff)
	}
	if a, b := fresh.Stats(), r.Stats(); a.Bytes != b.Bytes || a.Series != b.Series {
		t.Errorf("fresh %+v, relabelled %+v", a, b)
	}
}

// One family of an object that is stored is rendered with the labels that the
// object has.
func TestRefreshKeepsLabels(t *testing.T) {
	r, z := zonedResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Commit()
	z.move(f, key{"shop", "a"}, "b")
	before := shown(t, r.Snapshot(Slice{}))
	for i := range r.Table().Schema().Families {
		f.Refresh(replicaSet("a", 1), i)
	}
	if diff := cmp.Diff(before, shown(t, r.Snapshot(Slice{}))); diff != "" {
		t.Errorf("refreshing changed:\n%s", diff)
	}
}

func TestRelabelConcurrently(t *testing.T) {
	r, z := zonedResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Commit()
	var running sync.WaitGroup
	for g := range 4 {
		running.Go(func() {
			for i := range 50 {
				f.Put(replicaSet(fmt.Sprintf("r-%d", i), int32(g)))
			}
		})
		running.Go(func() {
			for i := range 50 {
				z.move(f, key{"shop", fmt.Sprintf("r-%d", i)}, []string{"a", "bb"}[i%2])
			}
		})
		running.Go(func() {
			for range 10 {
				shown(t, r.Snapshot(Slice{}))
			}
		})
	}
	running.Wait()
	for i := range 50 {
		z.move(f, key{"shop", fmt.Sprintf("r-%d", i)}, "c")
	}
	for line := range strings.Lines(shown(t, r.Snapshot(Slice{}))) {
		if strings.HasPrefix(line, "kube_replicaset_status_replicas{") && !strings.Contains(line, `,zone="c"} `) {
			t.Errorf("lost its zone: %s", line)
		}
	}
}
