package series

import (
	"slices"
	"sync/atomic"

	"github.com/kubestate/kubestate/agent/internal/cache"
	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/sink"
)

// blockMaker makes blocks. It is not safe for concurrent use.
type blockMaker struct {
	joins  *joins
	fixed  atomic.Pointer[[]sink.Tag] // on everything; drafts ask for it without the lock
	suffix string                     // behind the names of hosts
	hosts  *cache.Cache[string, string]
	made   uint64 // blocks that were made

	mapping  *compile.Mapping
	host     string
	resource []sink.Tag
	tags     []sink.Tag
	owner    struct{ kind, name string }
	rollout  bool
	key      []byte
}

// rebuild returns the current blocks of t. Unchanged blocks are reused, and so is the slice
// if all are unchanged. It reports whether any changed.
func (b *blockMaker) rebuild(t *labeled) (blocks []*sink.Block, changed bool) {
	old := t.blocks()
	t.dirty = false
	if t.names == nil {
		return nil, old != nil
	}
	variants := *t.variants
	for i := range variants {
		b.collect(t, &variants[i])
		same := i < len(old) && b.equals(old[i])
		if !changed && !same {
			blocks, changed = append(make([]*sink.Block, 0, len(variants)), old[:min(i, len(old))]...), true
		}
		switch {
		case !changed:
		case same:
			blocks = append(blocks, old[i])
		default:
			blocks = append(blocks, b.block())
		}
	}
	switch {
	case changed:
		return blocks, true
	case len(old) == len(variants):
		return old, false
	default:
		return slices.Clone(old[:len(variants)]), true
	}
}

// collect gathers the contents of the block of a variant.
func (b *blockMaker) collect(t *labeled, v *resolve.Variant) {
	b.mapping, b.host, b.rollout = v.Mapping, "", false
	b.owner.kind, b.owner.name = "", ""
	b.resource, b.tags = b.resource[:0], b.tags[:0]
	for _, f := range *b.fixed.Load() {
		b.place(f)
	}
	names := *t.names
	for i := range t.ids {
		b.add(names[i], t.values[i])
	}
	for i := range v.Own {
		if o := &v.Own[i]; o.Name == "" {
			b.place(sink.Tag{Key: o.Key, Value: o.Shown})
		} else {
			b.addAs(o.Name, o.Key, o.Shown)
		}
	}
	for i := int(t.ids); i < len(names); i++ { // labels that the object provides to itself are joined, too
		b.add(names[i], t.values[i])
	}
	b.addJoined(t, v)
	b.addOwner()
	b.resource = resolve.SortTags(b.resource)
	b.tags = resolve.SortTags(b.tags)
}

// addJoined adds the labels that other objects provide.
func (b *blockMaker) addJoined(t *labeled, v *resolve.Variant) {
	for n := range b.joins.indexes {
		l := b.joins.indexes[n].leafOf(t, v, &b.key)
		if l == nil {
			continue
		}
		provided := l.Provided()
		for i := range provided {
			if j := b.joins.list[provided[i].Join]; j.Reflexive && j.Resource == t.slots.resource {
				continue // it is among the labels, and of this very object
			}
			for _, g := range provided[i].Labels {
				b.add(g.Name, g.Value)
			}
		}
	}
}

// add adds a label under the tag that it is mapped to.
func (b *blockMaker) add(name, value string) {
	b.addAs(name, b.mapping.Key(name), value)
}

// addAs adds a label under a tag. A later owner, from a join, takes precedence.
func (b *blockMaker) addAs(name, key, value string) {
	if !b.mapping.IsOwner(name) {
		b.tag(key, value)
		return
	}
	switch name {
	case compile.CreatedByKind, compile.OwnerKind:
		b.owner.kind = value
	case compile.CreatedByName, compile.OwnerName:
		b.owner.name = value
	default:
		b.rollout = value != ""
	}
}

func (b *blockMaker) tag(key, value string) {
	if key == "" {
		return
	}
	if value != "" && slices.Contains(b.mapping.Hosts, key) {
		b.host = value
	}
	b.place(sink.Tag{Key: key, Value: value})
}

// place adds a tag to the resource or the tags of the block.
func (b *blockMaker) place(t sink.Tag) {
	if slices.Contains(b.mapping.Entity, t.Key) || t.Key == b.mapping.UID {
		b.resource = append(b.resource, t)
	} else {
		b.tags = append(b.tags, t)
	}
}

// addOwner adds the tags derived from the owner.
func (b *blockMaker) addOwner() {
	o := b.mapping.Owners
	if o == nil || b.owner.name == "" {
		return
	}
	key, ok := o.Tags[b.owner.kind]
	if !ok {
		return
	}
	b.tag(key, b.owner.name)
	above, ok := workload.Guess(b.owner.kind, b.owner.name)
	if !ok {
		return
	}
	b.tag(o.Tags[above.Kind], above.Name)
	if b.rollout && above.Kind == "Deployment" {
		b.tag(o.RolloutTag, above.Name)
	}
}

// hostName returns the host with the cluster suffix.
func (b *blockMaker) hostName() string {
	if b.host == "" || b.suffix == "" {
		return b.host
	}
	if name, ok := b.hosts.Get(b.host); ok {
		return name
	}
	name := b.host + b.suffix
	b.hosts.Put(b.host, name)
	return name
}

// equals reports whether a block equals the collected one.
func (b *blockMaker) equals(x *sink.Block) bool {
	return slices.Equal(b.tags, x.Tags) && slices.Equal(b.resource, x.Resource) && b.hostName() == x.Host
}

// block returns a new block with what was collected.
func (b *blockMaker) block() *sink.Block {
	b.made++
	return &sink.Block{Host: b.hostName(), Resource: clone(b.resource), Tags: clone(b.tags)}
}
