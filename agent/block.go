package agent

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// label is a label of an object or of what joins it, before it is mapped.
type label = join.Label

// leaf is what the objects that have a key in common give each other.
type leaf = join.Leaf[*tagged]

// variant says what one block of an object has beside what all its blocks share.
type variant struct {
	mapping *mapping
	own     []ownLabel
}

// ownLabel is a label of some samples of an object that bears on the whole block:
// a join matches it, or it names the host.
type ownLabel struct {
	name, value string
	key, shown  string // the tag that it becomes; an empty key: none
}

// tagged is what has blocks of tags: an object, or a group of an aggregate.
type tagged struct {
	resource *resource // of the object; nil: a group
	base     []label   // labels of the object, then what it gives itself
	ids      int       // how many of base are the object's, which joins may match
	variants []variant
	leaves   []*leaf // of other objects, what any variant matches

	blocks []*sink.Block // one for each variant
	group  *group        // nil: an object
	home   *shelf        // where what is resolved of it stands
	place  int
	dirty  bool // blocks are to be made anew
	gone   bool
}

// blockMaker makes blocks. It is not safe for concurrent use.
type blockMaker struct {
	joins  *joins
	fixed  []sink.Tag // on everything
	suffix string     // behind the names of hosts
	hosts  *cache[string]
	made   uint64 // blocks that were made

	mapping  *mapping
	host     string
	resource []sink.Tag
	tags     []sink.Tag
	owner    struct{ kind, name string }
	rollout  bool
	key      []byte
}

// remake brings the blocks of t up to date. A block whose content stays is not
// replaced. It tells whether any was.
func (b *blockMaker) remake(t *tagged) (changed bool) {
	old := t.blocks
	t.dirty = false
	for i := range t.variants {
		b.collect(t, &t.variants[i])
		if i < len(old) && b.equals(old[i]) {
			if changed {
				t.blocks = append(t.blocks, old[i])
			}
			continue
		}
		if !changed {
			t.blocks = append(make([]*sink.Block, 0, len(t.variants)), old[:i]...)
			changed = true
		}
		t.blocks = append(t.blocks, b.block())
	}
	if !changed && len(old) != len(t.variants) {
		t.blocks, changed = slices.Clone(old[:len(t.variants)]), true
	}
	return changed
}

// collect gathers what the block of a variant holds.
func (b *blockMaker) collect(t *tagged, v *variant) {
	b.mapping, b.host, b.rollout = v.mapping, "", false
	b.owner.kind, b.owner.name = "", ""
	b.resource, b.tags = b.resource[:0], b.tags[:0]
	for _, f := range b.fixed {
		b.place(f)
	}
	for i := range t.base {
		b.add(t.base[i].Name, t.base[i].Value)
	}
	for i := range v.own {
		o := &v.own[i]
		b.addAs(o.name, o.key, o.shown)
	}
	b.addJoined(t, v)
	b.addOwner()
	b.resource = inOrder(b.resource)
	b.tags = inOrder(b.tags)
}

// addJoined takes what other objects give.
func (b *blockMaker) addJoined(t *tagged, v *variant) {
	for _, x := range b.joins.indexes {
		l := x.leafOf(t, v, &b.key)
		if l == nil {
			continue
		}
		given := l.Given()
		for i := range given {
			if b.joins.list[given[i].Join].within == t.resource && t.resource != nil {
				continue // base has it, and of this very object
			}
			for _, g := range given[i].Labels {
				b.add(g.Name, g.Value)
			}
		}
	}
}

// add takes a label under the tag that it is mapped to.
func (b *blockMaker) add(name, value string) {
	b.addAs(name, b.mapping.key(name), value)
}

// addAs takes a label under a tag. An owner that is named later, by a join, is
// the one that counts.
func (b *blockMaker) addAs(name, key, value string) {
	if !b.mapping.isOwner(name) {
		b.tag(key, value)
		return
	}
	switch name {
	case createdByKind, ownerKind:
		b.owner.kind = value
	case createdByName, ownerName:
		b.owner.name = value
	default:
		b.rollout = value != ""
	}
}

func (b *blockMaker) tag(key, value string) {
	if key == "" {
		return
	}
	if value != "" && slices.Contains(b.mapping.hosts, key) {
		b.host = value
	}
	b.place(sink.Tag{Key: key, Value: value})
}

// place puts a tag where it belongs.
func (b *blockMaker) place(t sink.Tag) {
	if slices.Contains(b.mapping.entity, t.Key) || t.Key == b.mapping.uid {
		b.resource = append(b.resource, t)
	} else {
		b.tags = append(b.tags, t)
	}
}

// addOwner adds the tags that follow from the owner.
func (b *blockMaker) addOwner() {
	o := b.mapping.owners
	if o == nil || b.owner.name == "" {
		return
	}
	key, ok := o.Tags[b.owner.kind]
	if !ok {
		return
	}
	b.tag(key, b.owner.name)
	above, ok := kind.OwnerByName(b.owner.kind, b.owner.name)
	if !ok {
		return
	}
	b.tag(o.Tags[above.Kind], above.Name)
	if b.rollout && above.Kind == "Deployment" {
		b.tag(o.RolloutTag, above.Name)
	}
}

// inOrder sorts tags and drops all but one of those that are equal.
func inOrder(tags []sink.Tag) []sink.Tag {
	slices.SortFunc(tags, compareTags)
	return slices.Compact(tags)
}

func compareTags(a, b sink.Tag) int {
	if c := strings.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

// hostName returns the host as it is sent.
func (b *blockMaker) hostName() string {
	if b.host == "" || b.suffix == "" {
		return b.host
	}
	if name, ok := b.hosts.get(b.host); ok {
		return name
	}
	name := b.host + b.suffix
	b.hosts.put(b.host, name)
	return name
}

// equals tells whether a block holds what was collected.
func (b *blockMaker) equals(x *sink.Block) bool {
	return slices.Equal(b.tags, x.Tags) && slices.Equal(b.resource, x.Resource) && b.hostName() == x.Host
}

// block makes a block of what was collected.
func (b *blockMaker) block() *sink.Block {
	b.made++
	return &sink.Block{Host: b.hostName(), Resource: clone(b.resource), Tags: clone(b.tags)}
}

// clone returns a copy that takes no more memory than it needs; nil for nothing.
func clone[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	c := make([]T, len(s))
	copy(c, s)
	return c
}
