package joined

import (
	"bytes"
	"slices"
	"sync"

	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/kind"
)

// Index keeps the joined labels of objects: for each its labels, as text, and the Node,
// namespace and owner that they depend on. It is safe for concurrent use.
//
// A table is bound with an epoch. Where several epochs of one table store the same Node,
// namespace or owner, because a new configuration is about to replace another, the latest
// wins.
//
// There are two locks. The Labels of an object are locked while its lines are stored or
// changed. mu guards everything else; it is locked last, briefly, and never while waiting
// for an object's Labels.
type Index struct {
	renderers renderers
	owners    *workload.Index

	mu      sync.Mutex
	leaves  *join.Index[*object]
	objects map[objectKey]*object
	ids     map[string]int // of maps, by signature
	key     []byte         // scratch
}

type objectKey struct {
	feed            *store.Feed
	namespace, name string
}

// object is one with joined labels.
type object struct {
	store.Labels
	index *Index
	key   objectKey
	part  *Part
	own   []int // for each tail the length of the labels that the object itself has

	// Guarded by the mu of the index: the leaves that provide labels, nil if none, and the
	// owner that determines the workload, zero if the object itself does.
	node, namespace *join.Leaf[*object]
	owner           workload.Owned
	gone            bool
}

// NewIndex returns an empty Index. owners knows what owns ReplicaSets and Jobs.
func NewIndex(owners *workload.Index) *Index {
	return &Index{
		owners: owners,
		leaves: join.NewIndex[*object](), objects: map[objectKey]*object{}, ids: map[string]int{},
	}
}

// Bind returns the Labeler and the Observer of a store for the objects of a part, in an
// epoch that is later than all before; nil where joins do not concern it. A Part is bound
// once.
func (x *Index) Bind(p *Part, epoch uint32) (store.Labeler, store.Observer) {
	if p.Empty() {
		return nil, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range slices.Concat(p.wants, p.provides) {
		for _, m := range []*maps{&w.nodes, &w.namespaces} {
			if _, known := x.ids[m.signature]; !known {
				x.ids[m.signature] = len(x.ids)
			}
			m.id = x.ids[m.signature]
		}
	}
	if len(p.wants) == 0 {
		return nil, observer{x, p, epoch}
	}
	return labeler{x, p}, observer{x, p, epoch}
}

// labeler labels the lines of one table's objects. It is a store.Labeler.
type labeler struct {
	index *Index
	part  *Part
}

// Tail implements store.Labeler.
func (t labeler) Tail(family int) int { return t.part.tails[family] }

// Hold implements store.Labeler. It allocates nothing for an object that is known,
// unless its labels have grown.
func (t labeler) Hold(f *store.Feed, o kind.Object) *store.Labels {
	x, p := t.index, t.part
	d := x.hold(p, objectKey{f, o.GetNamespace(), o.GetName()})
	r := x.renderers.get()
	defer x.renderers.put(r)
	var known workload.Workload
	var ask workload.Owned
	if p.workload {
		known, ask = workload.Of(o)
	}
	for i, w := range p.wants {
		d.Tails[i] = r.own(d.Tails[i][:0], w, o, known)
		d.own[i] = len(d.Tails[i])
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	d.node = x.depend(d, d.node, p.nodes, nodeLeaves, kind.NodeOf(o))
	d.namespace = x.depend(d, d.namespace, p.namespaces, namespaceLeaves, kind.NamespaceOf(o))
	d.ask(ask)
	for i := range d.Tails {
		d.Tails[i] = d.appendProvided(d.Tails[i], i)
	}
	return &d.Labels
}

// hold returns the object with a key, new or existing, with its Labels locked.
func (x *Index) hold(p *Part, key objectKey) *object {
	for {
		x.mu.Lock()
		d, ok := x.objects[key]
		if !ok {
			d = &object{index: x, key: key, part: p, own: make([]int, len(p.wants))}
			d.Tails = make([][]byte, len(p.wants))
			x.objects[key] = d
		}
		x.mu.Unlock()
		d.Lock()
		if x.exists(d) {
			return d
		}
		d.Unlock() // it was removed in the meantime
	}
}

func (x *Index) exists(d *object) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !d.gone
}

// HoldStored implements store.Labeler.
func (t labeler) HoldStored(f *store.Feed, namespace, name string) *store.Labels {
	if d := t.index.lock(objectKey{f, namespace, name}); d != nil {
		return &d.Labels
	}
	return nil
}

// lock returns the object with a key with its Labels locked, nil if there is none.
func (x *Index) lock(key objectKey) *object {
	for {
		x.mu.Lock()
		d := x.objects[key]
		x.mu.Unlock()
		if d == nil {
			return nil
		}
		d.Lock()
		if x.exists(d) {
			return d
		}
		d.Unlock()
	}
}

// depend makes d depend on the leaf with a key instead of old. Without a name there is no
// leaf to depend on.
func (x *Index) depend(d *object, old *join.Leaf[*object], wanted bool, leaves, name string) *join.Leaf[*object] {
	var leaf *join.Leaf[*object]
	if wanted && name != "" {
		leaf = x.leaves.Leaf(x.leafKey(leaves, name))
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

// ask sets the owner that determines the workload of d.
func (d *object) ask(owned workload.Owned) {
	if d.owner == owned {
		return
	}
	if d.owner != (workload.Owned{}) {
		d.index.owners.Forget(d, d.owner)
	}
	if d.owner = owned; owned != (workload.Owned{}) {
		d.index.owners.Ask(d, owned)
	}
}

// Refresh implements workload.Asker.
func (d *object) Refresh() { d.index.refresh(d) }

// leafKey returns the key of a leaf, which is valid until the next call.
func (x *Index) leafKey(leaves, name string) []byte {
	x.key = append(append(append(x.key[:0], leaves...), '/'), name...)
	return x.key
}

// appendProvided appends to dst the labels of a tail that other objects provide.
func (d *object) appendProvided(dst []byte, tail int) []byte {
	w := d.part.wants[tail]
	if w.workload && d.owner != (workload.Owned{}) {
		dst = appendWorkload(dst, d.index.owners.Workload(d.owner))
	}
	if !w.nodes.none() {
		dst = appendJoined(dst, d.node, w.nodes.id)
	}
	if !w.namespaces.none() {
		dst = appendJoined(dst, d.namespace, w.namespaces.id)
	}
	return dst
}

// refresh updates the labels that other objects provide, and the lines that have them.
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

// compose renders the tails of an object into r, and reports whether they have changed.
func (x *Index) compose(d *object, r *renderer) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if d.gone {
		return false
	}
	r.tails = slices.Grow(r.tails[:0], len(d.Tails))[:len(d.Tails)]
	changed := false
	for i, now := range d.Tails {
		r.tails[i] = d.appendProvided(append(r.tails[i][:0], now[:d.own[i]]...), i)
		changed = changed || !bytes.Equal(r.tails[i], now)
	}
	return changed
}

// forget removes an object. It waits for a running refresh, which must not change the lines
// of a later object with the same name.
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
	for _, leaf := range []*join.Leaf[*object]{d.node, d.namespace} {
		if leaf != nil {
			leaf.Forget(d)
		}
	}
	d.ask(workload.Owned{})
}
