package otlp

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// hostName is the attribute of the resource that says Block.Host.
const hostName = "host.name"

// block is what is collected of the series of a sink.Block, until all are there
// and can be written as one ResourceMetrics.
type block struct {
	source     *sink.Block
	number     uint64      // counts them, so that a family knows whether its group is of this one
	host       [1]sink.Tag // the attribute of the host
	resource   []byte      // attributes of the resource, encoded
	attributes []byte      // those of each point, encoded
	keys       []string    // of the tags
	shape      uint64      // changes with keys

	groups []group // the first used ones are of this block, the rest keeps its memory
	used   int
	size   int // bytes of the groups in the request, at most
}

// group is the points of one metric. They are kept without the attributes of the
// block, which are most of them.
type group struct {
	family *family
	points []byte
	ends   []end
	size   int // bytes of the points when they are whole
}

// end is where in group.points a point ends.
type end struct {
	at    int
	whole bool // the attributes of the block must not follow it
}

// setBlock makes source the block of the series that follow.
func (e *encoder) setBlock(source *sink.Block) {
	e.endBlock()
	b := &e.block
	b.source = source
	b.host[0].Value = source.Host
	host := b.host[:]
	if source.Host == "" {
		host = nil
	}
	b.resource = appendAttributes(b.resource[:0], resourceAttribute, source.Resource)
	b.resource = appendMissing(b.resource, resourceAttribute, host, source.Resource)
	b.resource = appendMissing(b.resource, resourceAttribute, e.resource, source.Resource, host)
	b.attributes = appendAttributes(b.attributes[:0], pointAttribute, source.Tags)
	b.attributes = appendMissing(b.attributes, pointAttribute, e.tags, source.Tags)
	if !slices.EqualFunc(source.Tags, b.keys, isKey) {
		b.keys = b.keys[:0]
		for i := range source.Tags {
			b.keys = append(b.keys, source.Tags[i].Key)
		}
		b.shape++
	}
}

func isKey(t sink.Tag, key string) bool { return t.Key == key }

// appendOverridden appends the attributes of the block but for those that a series
// has tags of its own for.
func (e *encoder) appendOverridden(dst []byte, own []sink.Tag) []byte {
	source := e.block.source
	dst = appendMissing(dst, pointAttribute, source.Tags, own)
	return appendMissing(dst, pointAttribute, e.tags, own, source.Tags)
}

// enterGroup returns the group of a family in the block.
func (e *encoder) enterGroup(f *family) *group {
	b := &e.block
	if f.block == b.number {
		return &b.groups[f.group]
	}
	f.block, f.group = b.number, b.used
	if b.used == len(b.groups) {
		b.groups = append(b.groups, group{})
	}
	b.used++
	b.size += boundMetric + len(f.head)
	g := &b.groups[f.group]
	g.family, g.points, g.ends, g.size = f, g.points[:0], g.ends[:0], 0
	return g
}

// endBlock appends what was collected to the request, if it is anything.
func (e *encoder) endBlock() {
	b := &e.block
	groups := b.groups[:b.used]
	if len(groups) > 0 {
		metrics := len(e.scope)
		for i := range groups {
			metrics += protobuf.SizeField(groups[i].sizeMetric())
		}
		e.out = protobuf.AppendSize(e.out, requestResource, protobuf.SizeField(len(b.resource))+protobuf.SizeField(metrics))
		e.out = protowire.AppendBytes(append(e.out, resourceResource), b.resource)
		e.out = protobuf.AppendSize(e.out, resourceScope, metrics)
		e.out = append(e.out, e.scope...)
		for i := range groups {
			e.out = groups[i].appendMetric(e.out, b.attributes)
		}
	}
	b.source = nil
	b.used, b.size = 0, 0
	b.number++
}

// sizeMetric returns the length of the group as a Metric.
func (g *group) sizeMetric() int {
	return len(g.family.head) + protobuf.SizeField(g.size+len(g.family.tail))
}

// appendMetric appends the group as a Metric of a ScopeMetrics.
func (g *group) appendMetric(dst, attributes []byte) []byte {
	f := g.family
	dst = protobuf.AppendSize(dst, scopeMetric, g.sizeMetric())
	dst = append(dst, f.head...)
	dst = protobuf.AppendSize(dst, f.data, g.size+len(f.tail))
	from := 0
	for _, end := range g.ends {
		dst = append(dst, g.points[from:end.at]...)
		if !end.whole {
			dst = append(dst, attributes...)
		}
		from = end.at
	}
	return append(dst, f.tail...)
}
