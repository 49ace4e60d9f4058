package remotewrite

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// block is the labels of a sink.Block, and their encoding in a request.
type block struct {
	source *sink.Block
	labels []label
	bound  int      // upper bound of the bytes that its labels take in a series
	shape  uint64   // changes with the names of labels and with keys
	keys   []string // keys of source that the labels were made from:
	tags   int      // this many are Tags, the rest Resource
	joined bool     // a label joins the values of several tags

	request uint64 // the request that the rest belongs to
	encoded []byte
	starts  []int // where in encoded each label starts, and where the last one ends
}

// setBlock starts the block of the following series.
func (e *encoder) setBlock(source *sink.Block) {
	b := &e.block
	if b.joined || !b.hasKeys(source) || (source.Host == "") != (b.source.Host == "") {
		e.arrangeBlock(source)
	}
	b.source, b.request = source, 0
	b.bound = 0
	for i := range b.labels {
		l := &b.labels[i]
		switch {
		case b.joined:
		case l.rank == rankBlock:
			l.value = source.Tags[l.tag].Value
		case l.rank == rankResource:
			l.value = source.Resource[l.tag].Value
		case l.rank == rankHost:
			l.value = source.Host
		}
		b.bound += boundLabel + longest*(len(l.name)+len(l.value))
	}
}

// hasKeys reports whether the labels were made from the keys of source. Most blocks
// have the same keys as the one before.
func (b *block) hasKeys(source *sink.Block) bool {
	return b.source != nil &&
		slices.EqualFunc(source.Tags, b.keys[:b.tags], hasKey) && slices.EqualFunc(source.Resource, b.keys[b.tags:], hasKey)
}

func hasKey(t sink.Tag, key string) bool { return t.Key == key }

// arrangeBlock builds the labels of a block with different keys.
func (e *encoder) arrangeBlock(source *sink.Block) {
	b := &e.block
	b.keys, b.tags = b.keys[:0], len(source.Tags)
	b.labels = e.names.appendTags(b.labels[:0], source.Tags, rankBlock)
	b.labels = e.names.appendTags(b.labels, source.Resource, rankResource)
	for _, tags := range [][]sink.Tag{source.Tags, source.Resource} {
		for i := range tags {
			b.keys = append(b.keys, tags[i].Key)
		}
	}
	if e.host != "" && source.Host != "" {
		b.labels = append(b.labels, label{name: e.host, value: source.Host, rank: rankHost})
	}
	b.labels, b.joined = unify(append(b.labels, e.common...))
	b.shape++
}

// encodeBlock encodes the labels for the request.
func (e *encoder) encodeBlock() {
	b := &e.block
	b.request, b.encoded, b.starts = e.request, b.encoded[:0], b.starts[:0]
	for i := range b.labels {
		l := &b.labels[i]
		b.starts = append(b.starts, len(b.encoded))
		switch {
		case l.value == "":
		case e.version == V1:
			b.encoded = appendLabel1(b.encoded, l.name, protobuf.Valid(l.value))
		default:
			b.encoded = appendRefs2(b.encoded, e.symbols.ref(l.name), e.symbols.ref(l.value))
		}
	}
	b.starts = append(b.starts, len(b.encoded))
}

// find returns the range of labels that a label of this name replaces: one or none.
func (b *block) find(name string) (from, to int) {
	from, found := slices.BinarySearchFunc(b.labels, name, func(l label, name string) int {
		return strings.Compare(l.name, name)
	})
	if found {
		return from, from + 1
	}
	return from, from
}

// forget drops references to the strings of the block.
func (b *block) forget() {
	b.source = nil
	clear(b.labels[:cap(b.labels)])
}
