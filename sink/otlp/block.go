package otlp

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// hostName is the resource attribute for Block.Host.
const hostName = "host.name"

// block collects the series of a sink.Block until all have arrived and can be written
// as one ResourceMetrics.
type block struct {
	source     *sink.Block
	number     uint64      // incremented per block, so that a family knows whether its group belongs to this one
	host       [1]sink.Tag // host attribute
	resource   []byte      // encoded attributes of the resource
	attributes []byte      // encoded attributes of every data point
	keys       []string    // keys of the tags
	shape      uint64      // changes with keys

	groups []group // the first `used` ones belong to this block, the rest is kept for reuse
	used   int
	size   int // upper bound of the groups' bytes in the request
}

// group is the data points of one metric. They are stored without the attributes of the
// block, which make up most of a point.
type group struct {
	family *family
	points []byte
	ends   []end
	size   int // bytes of the points with the attributes of the block
}

// end is where a point ends in group.points.
type end struct {
	at    int
	whole bool // the attributes of the block must not be added
}

// setBlock starts the block of the following series.
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

// appendOverridden appends the attributes of the block, except those overridden by tags
// of a series.
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

// endBlock appends the collected groups to the request.
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

// sizeMetric returns the encoded length of the group as a Metric.
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
