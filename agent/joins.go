package agent

import "github.com/kubestate/kubestate/internal/join"

// joins knows what objects give each other.
type joins struct {
	list    []*joinSource // by number
	indexes []*joinIndex  // as program.matches
}

// joinIndex is the index of the joins with the same Match.
type joinIndex struct {
	match []string
	index *join.Index[*tagged]
}

func newJoins(p *program) joins {
	j := joins{list: p.joins}
	for _, match := range p.matches {
		j.indexes = append(j.indexes, &joinIndex{match: match, index: join.NewIndex[*tagged]()})
	}
	return j
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
