package series

import (
	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/internal/join"
)

// leaf has the labels provided under one key, and their dependents.
type leaf = join.Leaf[*labeled]

// joins has the labels that objects provide to others.
type joins struct {
	list    []*compile.Join // by number
	indexes []joinIndex     // as program.matches
}

// joinIndex is the index of the joins with the same Match.
type joinIndex struct {
	match []string
	index *join.Index[*labeled]
}

func newJoins(p *compile.Program) joins {
	j := joins{list: p.Joins}
	for _, match := range p.Matches {
		j.indexes = append(j.indexes, joinIndex{match, join.NewIndex[*labeled]()})
	}
	return j
}

// appendKeyOf appends the key of something that has labels. It is not ok where a
// label is missing or empty.
func (x *joinIndex) appendKeyOf(key []byte, t *labeled, v *resolve.Variant) (_ []byte, ok bool) {
	for _, name := range x.match {
		value := t.label(v, name)
		if value == "" {
			return key, false
		}
		key = resolve.AppendKey(key, value)
	}
	return key, true
}

// leafOf returns the leaf that a variant matches; nil: none.
func (x *joinIndex) leafOf(t *labeled, v *resolve.Variant, scratch *[]byte) *leaf {
	key, ok := x.appendKeyOf((*scratch)[:0], t, v)
	*scratch = key
	if !ok {
		return nil
	}
	return x.index.Get(key)
}

// depend makes t depend on the leaves that its labels match.
func (j *joins) depend(t *labeled, scratch *[]byte) {
	j.eachKey(t, scratch, func(x *joinIndex, key []byte) { x.index.Leaf(key).Depend(t) })
}

// forget makes t depend on nothing. Its labels are those with which it came to depend.
func (j *joins) forget(t *labeled, scratch *[]byte) {
	j.eachKey(t, scratch, func(x *joinIndex, key []byte) {
		if l := x.index.Get(key); l != nil {
			l.Forget(t)
		}
	})
}

// eachKey calls f for all keys that any variant of t matches.
func (j *joins) eachKey(t *labeled, scratch *[]byte, f func(x *joinIndex, key []byte)) {
	if t.names == nil {
		return
	}
	variants := *t.variants
	for n := range j.indexes {
		x := &j.indexes[n]
		for i := range variants {
			key, ok := x.appendKeyOf((*scratch)[:0], t, &variants[i])
			*scratch = key
			if ok {
				f(x, key)
			}
		}
	}
}
