package agent

import (
	"slices"
	"strings"
	"sync"

	"github.com/kubestate/kubestate/internal/join"
)

// joins are the joins of an Agent.
type joins struct {
	list    []*joinSource // ascending by family; a join's number is its index
	indexes []*joinIndex
}

// joinSource is a compiled Join.
type joinSource struct {
	number   int
	family   string
	resource string   // that the family is of
	match    []string // ascending
	all      bool
	get      map[string]string // label → the name under which others get it
	template string
	// reflexive: objects of the resource get labels of themselves and of no other of
	// their kind, because Match identifies them. within is the resource then.
	reflexive bool
	within    *resource
	index     *joinIndex // for others; nil: nobody else can match

	mu    sync.Mutex
	named *cache[string, string] // what template makes of labels
}

// joinIndex is what joins with the same Match share.
type joinIndex struct {
	match []string
	index *join.Index[*tagged]
}

// maxNamed is for how many labels the names that a template makes are remembered.
const maxNamed = 10_000

// name returns under which name others get a label of the source family.
func (j *joinSource) name(label, value string) (string, bool) {
	name, ok := j.get[label]
	switch {
	case slices.Contains(j.match, label):
		return "", false
	case ok:
		return name, value != "" || j.all
	case !j.all:
		return "", false
	case j.template == "":
		return label, true
	default:
		return j.fromTemplate(label), true
	}
}

func (j *joinSource) fromTemplate(label string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if name, ok := j.named.get(label); ok {
		return name
	}
	short := strings.TrimPrefix(strings.TrimPrefix(label, "label_"), "annotation_")
	name := strings.NewReplacer("%%label%%", short, "%%annotation%%", short).Replace(j.template)
	j.named.put(strings.Clone(label), name)
	return name
}

// appendKeyOf appends the key of something that has labels. It is not ok where a
// label is missing or empty.
func (x *joinIndex) appendKeyOf(key []byte, t *tagged, v *variant) (_ []byte, ok bool) {
	for _, name := range x.match {
		value := v.valueOf(name)
		if value == "" {
			value = t.label(name)
		}
		if value == "" {
			return key, false
		}
		key = appendKey(key, value)
	}
	return key, true
}

// leafOf returns the leaf that a variant matches; nil: none.
func (x *joinIndex) leafOf(t *tagged, v *variant, scratch *[]byte) *leaf {
	key, ok := x.appendKeyOf((*scratch)[:0], t, v)
	*scratch = key
	if !ok {
		return nil
	}
	return x.index.Get(key)
}

func (v *variant) valueOf(name string) string {
	for i := range v.own {
		if v.own[i].name == name {
			return v.own[i].value
		}
	}
	return ""
}

// depend notes that t depends on the leaves that its labels match.
func (j *joins) depend(t *tagged, scratch *[]byte) {
	j.eachKey(t, scratch, func(x *joinIndex, key []byte) { x.index.Leaf(key).Depend(t) })
}

// forget notes that t no longer depends on anything. Its labels are as they were
// when it came to depend.
func (j *joins) forget(t *tagged, scratch *[]byte) {
	j.eachKey(t, scratch, func(x *joinIndex, key []byte) {
		if l := x.index.Get(key); l != nil {
			l.Forget(t)
		}
	})
}

// eachKey calls f for all keys that any variant of t matches.
func (j *joins) eachKey(t *tagged, scratch *[]byte, f func(x *joinIndex, key []byte)) {
	if t.names == nil {
		return
	}
	variants := *t.variants
	for _, x := range j.indexes {
		for i := range variants {
			key, ok := x.appendKeyOf((*scratch)[:0], t, &variants[i])
			*scratch = key
			if ok {
				f(x, key)
			}
		}
	}
}
