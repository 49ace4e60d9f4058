package joined

import (
	"bytes"
	"slices"
	"sync"

	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
)

// Index knows which labels objects give to others. It keeps a record of each
// object with joined labels: its labels, as text, and whom it has them from. Use
// Labeler for all tables before the first object is stored. It is safe for
// concurrent use then.
//
// Two locks are in play. The Labels of an object are locked while its lines are
// stored or changed. mu guards all else; it is taken for moments, last, and never
// held while an object's Labels are being waited for.
type Index struct {
	joins     []Join
	wants     []*want // of all tables
	renderers renderers

	mu      sync.Mutex
	leaves  *join.Index[*object]
	objects map[objectKey]*object
	key     []byte // scratch
}

type objectKey struct {
	feed            *store.Feed
	namespace, name string
}

// object is one with joined labels.
type object struct {
	store.Labels
	key   objectKey
	table *Table
	own   []int // of each tail, how much the object itself tells

	// Guarded by the mu of the index: from whom it gets labels, nil for nobody.
	node, namespace, owner *join.Leaf[*object]
	gone                   bool
}

func newIndex(joins []Join) *Index {
	return &Index{joins: joins, leaves: join.NewIndex[*object](), objects: map[objectKey]*object{}}
}

// Table labels the lines of one table's objects. It is a store.Labeler.
type Table struct {
	index                       *Index
	wants                       []*want
	tails                       []int // per family, which of wants; -1 for none
	nodes, namespaces, workload bool  // whether any of wants needs them
}

// Labeler returns what labels the objects of a table, nil if no join concerns one
// of its families.
func (x *Index) Labeler(planned *kind.Table) *Table {
	t := &Table{index: x}
	s := planned.Schema()
	known := map[string]int{}
	for i := range s.Families {
		w := wantOf(x.joins, &s.Families[i], s.LabelNames(i))
		if w == nil {
			t.tails = append(t.tails, -1)
			continue
		}
		signature := w.signature(x.joins, &s.Families[i])
		n, ok := known[signature]
		if !ok {
			n = len(t.wants)
			known[signature] = n
			w.id = len(x.wants)
			x.wants = append(x.wants, w)
			t.wants = append(t.wants, w)
			t.nodes = t.nodes || !w.nodes.none()
			t.namespaces = t.namespaces || !w.namespaces.none()
			t.workload = t.workload || w.workload
		}
		t.tails = append(t.tails, n)
	}
	if len(t.wants) == 0 {
		return nil
	}
	return t
}

// Tail implements store.Labeler.
func (t *Table) Tail(family int) int { return t.tails[family] }

// Hold implements store.Labeler. It allocates nothing for an object that is known,
// unless that has grown.
func (t *Table) Hold(f *store.Feed, o kind.Object) *store.Labels {
	x := t.index
	d := x.hold(t, objectKey{f, o.GetNamespace(), o.GetName()})
	r := x.renderers.get()
	defer x.renderers.put(r)
	var told kind.Workload
	var ask kind.Owned
	if t.workload {
		told, ask, _ = kind.ChainOf(o)
	}
	for i, w := range t.wants {
		d.Tails[i] = r.own(d.Tails[i][:0], w, o, told)
		d.own[i] = len(d.Tails[i])
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	d.node = x.depend(d, d.node, t.nodes, "node", "", kind.NodeOf(o))
	d.namespace = x.depend(d, d.namespace, t.namespaces, "namespace", "", kind.NamespaceOf(o))
	d.owner = x.depend(d, d.owner, t.workload, ask.Kind, ask.Namespace, ask.Name)
	for i := range d.Tails {
		d.Tails[i] = d.given(d.Tails[i], i)
	}
	return &d.Labels
}

// hold returns the object of a key, made if need be, with its Labels locked.
func (x *Index) hold(t *Table, key objectKey) *object {
	for {
		x.mu.Lock()
		d, ok := x.objects[key]
		if !ok {
			d = &object{key: key, table: t, own: make([]int, len(t.wants))}
			d.Tails = make([][]byte, len(t.wants))
			x.objects[key] = d
		}
		x.mu.Unlock()
		d.Lock()
		if x.isThere(d) {
			return d
		}
		d.Unlock() // it went meanwhile
	}
}

func (x *Index) isThere(d *object) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !d.gone
}

// HoldStored implements store.Labeler.
func (t *Table) HoldStored(f *store.Feed, namespace, name string) *store.Labels {
	if d := t.index.lock(objectKey{f, namespace, name}); d != nil {
		return &d.Labels
	}
	return nil
}

// lock returns the object of a key with its Labels locked, nil if there is none.
func (x *Index) lock(key objectKey) *object {
	for {
		x.mu.Lock()
		d := x.objects[key]
		x.mu.Unlock()
		if d == nil {
			return nil
		}
		d.Lock()
		if x.isThere(d) {
			return d
		}
		d.Unlock()
	}
}

// depend makes d depend on what is given under a key in place of what it depended
// on. An empty name is nothing to depend on.
func (x *Index) depend(d *object, old *join.Leaf[*object], wanted bool, kind, namespace, name string) *join.Leaf[*object] {
	var leaf *join.Leaf[*object]
	if wanted && name != "" {
		leaf = x.leaf(kind, namespace, name)
	}
	if leaf == old {
		return old
	}
	if old != nil {
		old.Forget(d)
	}
	if leaf != nil {
		leaf.Depend(d)
	}
	return leaf
}

func (x *Index) leaf(kind, namespace, name string) *join.Leaf[*object] {
	return x.leaves.Leaf(x.leafKey(kind, namespace, name))
}

func (x *Index) known(kind, namespace, name string) bool {
	return x.leaves.Get(x.leafKey(kind, namespace, name)) != nil
}

// leafKey returns the key of a leaf, which is valid until the next call.
func (x *Index) leafKey(kind, namespace, name string) []byte {
	x.key = append(append(append(append(append(x.key[:0], kind...), '/'), namespace...), '/'), name...)
	return x.key
}

// given appends to dst what others give for a tail.
func (d *object) given(dst []byte, tail int) []byte {
	w := d.table.wants[tail]
	if w.workload {
		dst = appendGift(dst, d.owner, 0)
	}
	if !w.nodes.none() {
		dst = appendGift(dst, d.node, w.id)
	}
	if !w.namespaces.none() {
		dst = appendGift(dst, d.namespace, w.id)
	}
	return dst
}

// refresh works out anew what others give to an object, and changes its lines.
func (x *Index) refresh(d *object) {
	d.Lock()
	defer d.Unlock()
	r := x.renderers.get()
	defer x.renderers.put(r)
	if !x.compose(d, r) {
		return
	}
	d.key.feed.Relabel(d.key.namespace, d.key.name, d.Tails, r.tails)
	for i, tail := range r.tails {
		d.Tails[i] = append(d.Tails[i][:0], tail...)
	}
}

// compose makes the tails of an object in r, and reports whether they are others
// than it has.
func (x *Index) compose(d *object, r *renderer) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if d.gone {
		return false
	}
	r.tails = slices.Grow(r.tails[:0], len(d.Tails))[:len(d.Tails)]
	changed := false
	for i, now := range d.Tails {
		r.tails[i] = d.given(append(r.tails[i][:0], now[:d.own[i]]...), i)
		changed = changed || !bytes.Equal(r.tails[i], now)
	}
	return changed
}

// forget forgets an object that is gone. A refresh that runs ends before, so that
// it does not change the lines of the next object of that name.
func (x *Index) forget(key objectKey) {
	d := x.lock(key)
	if d == nil {
		return
	}
	defer d.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.objects, key)
	d.gone = true
	for _, leaf := range []*join.Leaf[*object]{d.node, d.namespace, d.owner} {
		if leaf != nil {
			leaf.Forget(d)
		}
	}
}
