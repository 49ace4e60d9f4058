package customresource

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// samples are what a family makes of an object.
type samples struct {
	object *Object
	all    []sample
	errs   []error
}

type sample struct {
	labels labelSet // of the element
	value  float64
}

func (s *samples) add(value float64, labels labelSet) {
	s.all = append(s.all, sample{labels, value})
}

func (s *samples) fail(at string, err error) { s.errs = append(s.errs, fmt.Errorf("%s: %w", at, err)) }

// sort orders the samples of an object by their labels.
func (s *samples) sort() {
	slices.SortStableFunc(s.all, func(a, b sample) int { return a.labels.compare(b.labels) })
}

// block is a compiled gauge, info or stateset.
type block struct {
	name         string // of the path, in messages
	path         selector
	labels       pathLabels
	labelFromKey string
	valueFrom    selector
	nilIsZero    bool
	labelName    string
	list         []string
	unit         Unit
}

var errNoValue = errors.New("no value")

// gauge makes samples of what the path selects: of a list one for each element, of a
// mapping one for each member that leads to a value.
func (b *block) gauge(v any, s *samples) {
	switch v := v.(type) {
	case []any:
		for i, element := range v {
			b.gaugeOf(element, fmt.Sprintf("%s[%d]", b.name, i), s)
		}
	case map[string]any:
		if b.valueFrom.cel != nil { // an expression finds its way itself
			b.gaugeOf(v, b.name, s)
			return
		}
		b.gaugeMap(v, b.name, s)
	default:
		b.gaugeOf(v, b.name, s)
	}
}

func (b *block) gaugeOf(v any, at string, s *samples) {
	switch found := b.valueFrom.get(s, v); {
	case found == nil && b.nilIsZero:
		s.add(0, b.element(s, v))
	case found == nil && v == nil:
		s.fail(at, errNoValue)
	case found != nil:
		n, err := b.unit.number(found)
		if err != nil {
			s.fail(at, err)
			return
		}
		s.add(n, b.element(s, v))
	}
}

// element returns the labels that an element has of its own.
func (b *block) element(s *samples, v any) (l labelSet) {
	b.labels.read(s, v, &l)
	return l
}

func (b *block) gaugeMap(m map[string]any, at string, s *samples) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		child := m[key]
		found := b.valueFrom.get(s, child)
		itself := b.valueFrom.only(key)
		if itself { // the value of the mapping, not of one of its members
			found = child
		}
		if found == nil && !b.nilIsZero {
			continue
		}
		n := 0.0
		if found != nil {
			var err error
			if n, err = b.unit.number(found); err != nil {
				if itself {
					s.fail(at+"."+key, err)
				}
				continue
			}
		}
		var l labelSet
		if b.labelFromKey != "" {
			l.set(b.labelFromKey, key)
		}
		b.labels.read(s, child, &l)
		b.labels.read(s, m, &l)
		s.add(n, l)
	}
}

// info makes samples of value 1 of elements that have labels.
func (b *block) info(v any, s *samples) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, element := range list {
		b.infoOf(element, s)
	}
}

func (b *block) infoOf(v any, s *samples) {
	if v == nil {
		return
	}
	add := func(l labelSet) {
		if len(l) > 0 {
			s.add(1, l)
		}
	}
	if m, ok := v.(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			var l labelSet
			if b.labelFromKey != "" {
				l.set(b.labelFromKey, key)
			}
			b.labels.read(s, m[key], &l)
			add(l)
		}
	}
	add(b.element(s, v))
}

// stateSet makes a sample for each state that is listed, 1 for the one that the value
// is.
func (b *block) stateSet(v any, s *samples) {
	list, ok := v.([]any)
	if !ok {
		b.statesOf(v, b.name, s)
		return
	}
	for i, element := range list {
		b.statesOf(element, fmt.Sprintf("%s[%d]", b.name, i), s)
	}
}

func (b *block) statesOf(v any, at string, s *samples) {
	found := b.valueFrom.get(s, v)
	if found == nil {
		return
	}
	state, ok := found.(string)
	if !ok {
		s.fail(at, fmt.Errorf("invalid state %s: must be a string", quote(found)))
		return
	}
	for _, listed := range b.list {
		var l labelSet
		l.set(b.labelName, listed)
		b.labels.read(s, v, &l)
		value := 0.0
		if listed == state {
			value = 1
		}
		s.add(value, l)
	}
}
