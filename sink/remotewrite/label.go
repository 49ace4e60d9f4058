package remotewrite

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kubestate/kubestate/sink"
)

// metricName is the label with the name of the metric.
const metricName = "__name__"

// label is a label and its origin. A label with an empty value counts as missing.
type label struct {
	name, value string
	rank        rank
	tag         int // index of the tag with the value, for ranks with tags
}

// rank decides which of several labels with the same name is kept: that of the highest
// rank.
type rank uint8

// Ranks, from the most general to the most specific.
const (
	rankConfig rank = iota
	rankHost
	rankResource
	rankBlock
	rankOwn
	rankName
)

// compare orders by name, then by descending rank, then by value.
func (l label) compare(other label) int {
	return cmp.Or(strings.Compare(l.name, other.name), int(other.rank)-int(l.rank), strings.Compare(l.value, other.value))
}

// unify sorts labels by name and keeps one per name, that of the highest rank. Several
// values of that rank are joined with commas, in order. Labels without a name are
// dropped. It works in place and allocates only for joined values.
func unify(labels []label) (unified []label, joined bool) {
	slices.SortFunc(labels, label.compare)
	unified = labels[:0]
	for len(labels) > 0 {
		l, n := labels[0], 1
		for ; n < len(labels) && labels[n].name == l.name; n++ {
			if same := labels[n]; same.rank == l.rank {
				joined = true
				if same.value != labels[n-1].value {
					l.value = strings.TrimPrefix(l.value+","+same.value, ",")
				}
			}
		}
		if l.name != "" {
			unified = append(unified, l)
		}
		labels = labels[n:]
	}
	return unified, joined
}

// maxRenamed bounds the cache of naming. Label names are few, unless somebody generates
// them.
const maxRenamed = 10_000

// naming makes names valid for the receiver. It is not safe for concurrent use.
type naming struct {
	utf8    bool              // allow all characters
	renamed map[string]string // cache of rewritten keys
}

// label returns the label name for a tag. It allocates only the first time that it has
// to change a key.
func (n *naming) label(key string) string {
	if classic(key, false) || n.utf8 && utf8.ValidString(key) {
		return key
	}
	name, ok := n.renamed[key]
	if !ok {
		if n.renamed == nil || len(n.renamed) >= maxRenamed {
			n.renamed = map[string]string{}
		}
		name = rewrite(key, false)
		n.renamed[strings.Clone(key)] = name
	}
	return name
}

// appendTags appends tags as labels, in their order.
func (n *naming) appendTags(labels []label, tags []sink.Tag, rank rank) []label {
	for i, t := range tags {
		labels = append(labels, label{name: n.label(t.Key), value: t.Value, rank: rank, tag: i})
	}
	return labels
}

// metric returns the __name__ of a metric.
func (n *naming) metric(name string) string {
	if classic(name, true) || n.utf8 && utf8.ValidString(name) {
		return name
	}
	return rewrite(name, true)
}

// classic reports whether a name needs no quotes in PromQL: [a-zA-Z_][a-zA-Z0-9_]*, in
// names of metrics also colons.
func classic(name string, colon bool) bool {
	for i := range len(name) {
		if !classicByte(name[i], colon) {
			return false
		}
	}
	return name != "" && (name[0] < '0' || name[0] > '9')
}

func classicByte(c byte, colon bool) bool {
	return 'a' <= c && c <= 'z' || c == '_' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == ':' && colon
}

// rewrite replaces each character that is not classic with an underscore, and prefixes
// one before a leading digit. An empty name stays empty.
func rewrite(name string, colon bool) string {
	var b strings.Builder
	for i, r := range name {
		if i == 0 && '0' <= r && r <= '9' {
			b.WriteByte('_')
		}
		if r < utf8.RuneSelf && classicByte(byte(r), colon) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}
