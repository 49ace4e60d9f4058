package customresource

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// label is a label of a sample.
type label struct{ name, value string }

// labelSet is sorted by name; names differ.
type labelSet []label

// set adds a label or replaces its value.
func (s *labelSet) set(name, value string) {
	i, found := slices.BinarySearchFunc(*s, name, func(l label, name string) int { return strings.Compare(l.name, name) })
	if found {
		(*s)[i].value = value
		return
	}
	*s = slices.Insert(*s, i, label{name, value})
}

// add adds labels whose names are not there yet.
func (s *labelSet) add(others labelSet) {
	for _, l := range others {
		if _, found := slices.BinarySearchFunc(*s, l.name, func(l label, name string) int { return strings.Compare(l.name, name) }); !found {
			s.set(l.name, l.value)
		}
	}
}

func (s labelSet) compare(other labelSet) int {
	return slices.CompareFunc(s, other, func(a, b label) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
}

// pathLabels are labels read by paths. Those whose key has a star come first, so that
// the others overwrite them.
type pathLabels []pathLabel

type pathLabel struct {
	name   string // sanitised; of a star label what is put before each key
	star   bool
	prefix bool // a star label that puts name before the keys
	from   selector
}

// read sets the labels that v, a part of the object, has.
func (l pathLabels) read(of *samples, v any, into *labelSet) {
	for i := range l {
		p := &l[i]
		switch found := p.from.get(of, v).(type) {
		case nil:
		case map[string]any:
			if !p.star {
				into.set(p.name, text(found))
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(found)) {
				if found[key] != nil {
					into.set(labelName(p.name+key), text(found[key]))
				}
			}
		default:
			if !p.star {
				into.set(p.name, text(found))
			}
		}
	}
}

// labelName makes a valid label name of a key: characters outside [a-zA-Z0-9_] become
// underscores, the empty key and a digit at the start get one, and of several underscores
// at the start one remains.
func labelName(key string) string {
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, key)
	if name == "" || '0' <= name[0] && name[0] <= '9' {
		return "_" + name
	}
	if rest := strings.TrimLeft(name, "_"); len(name)-len(rest) > 1 { // Prometheus reserves __
		return "_" + rest
	}
	return name
}
