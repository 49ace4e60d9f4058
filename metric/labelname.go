package metric

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCachedNames bounds the memory that derived label names may take in one Emitter.
const maxCachedNames = 10_000

// deriver makes label names from the keys of Kubernetes maps. Keys recur from
// object to object, so that it remembers what it made.
type deriver struct {
	cache map[derived]string
	keys  []string       // the keys of the current map, sorted
	seen  map[string]int // label name → how many keys of the current map yield it
}

type derived struct{ prefix, key string }

// LabelMap adds the entries of m whose key is allowed to the next AddLabeled, in
// ascending order of keys. Their names are prefix, an underscore and the key as
// DeriveName changes it; keys that would yield the same name get the suffixes
// _conflict1, _conflict2 and so on, in that order. A nil allow admits every key.
// A prefix that is no name of a label is a mistake in the table and panics.
//
// It allocates only where it meets a key for the first time or keys collide.
func (e *Emitter) LabelMap(prefix string, m map[string]string, allow func(key string) bool) {
	if !validLabel(prefix) {
		panic(fmt.Sprintf("metric: %s: %q is no prefix for the names of labels; %s", e.sample.Desc.Name, prefix, labelRule))
	}
	d := &e.derive
	d.keys = d.keys[:0]
	for k := range m {
		if allow == nil || allow(k) {
			d.keys = append(d.keys, k)
		}
	}
	slices.Sort(d.keys)
	first, collide := len(e.names), false
	if d.seen == nil {
		d.seen = map[string]int{}
	}
	clear(d.seen)
	for _, k := range d.keys {
		name := d.name(prefix, k)
		d.seen[name]++
		collide = collide || d.seen[name] > 1
		e.label(name, m[k])
	}
	if collide {
		resolve(e.names[first:], d.seen)
	}
}

// resolve gives distinct names to those that occur more than once. count says how
// often each occurs.
func resolve(names []string, count map[string]int) {
	last := map[string]int{} // colliding name → the suffix given last
	for i, name := range names {
		if count[name] < 2 {
			continue
		}
		n := last[name] + 1
		for count[suffixed(name, n)] > 0 {
			n++
		}
		last[name] = n
		names[i] = suffixed(name, n)
		count[names[i]] = 1
	}
}

func suffixed(name string, n int) string { return name + "_conflict" + strconv.Itoa(n) }

func (d *deriver) name(prefix, key string) string {
	if n, ok := d.cache[derived{prefix, key}]; ok {
		return n
	}
	return d.keep(prefix, key, prefix+"_"+DeriveName(key))
}

// keep remembers name for a key. The key is cloned, because it may be part of
// a whole object's memory.
func (d *deriver) keep(prefix, key, name string) string {
	if d.cache == nil || len(d.cache) >= maxCachedNames {
		d.cache = map[derived]string{}
	}
	d.cache[derived{prefix, strings.Clone(key)}] = name
	return name
}

// SafeName returns s as the function SafeName does, through a cache: it
// allocates only where it meets an unsafe s for the first time.
func (e *Emitter) SafeName(s string) string {
	if safe(s) {
		return s
	}
	if n, ok := e.derive.cache[derived{"", s}]; ok {
		return n
	}
	return e.derive.keep("", s, SafeName(s))
}

// DeriveName returns the part of a label name that stands for a Kubernetes key:
// SafeName, an underscore between a lower-case letter or digit and a following
// upper-case letter, all in lower case. It allocates.
func DeriveName(key string) string {
	var b strings.Builder
	var prev rune
	for _, r := range key {
		if !safeRune(r) {
			r = '_'
		}
		if upper(r) {
			if lowerOrDigit(prev) {
				b.WriteByte('_')
			}
			b.WriteByte(byte(r) + 'a' - 'A')
		} else {
			b.WriteByte(byte(r))
		}
		prev = r
	}
	return b.String()
}

// Derives reports whether DeriveName of key is name. It allocates nothing.
func Derives(key, name string) bool {
	i := 0
	next := func(c byte) bool {
		i++
		return i <= len(name) && name[i-1] == c
	}
	var prev rune
	for _, r := range key {
		if !safeRune(r) {
			r = '_'
		}
		if upper(r) {
			if lowerOrDigit(prev) && !next('_') || !next(byte(r)+'a'-'A') {
				return false
			}
		} else if !next(byte(r)) {
			return false
		}
		prev = r
	}
	return i == len(name)
}

// SafeName returns s with every rune outside [a-zA-Z0-9_] as one underscore.
func SafeName(s string) string {
	return strings.Map(func(r rune) rune {
		if safeRune(r) {
			return r
		}
		return '_'
	}, s)
}

func safe(s string) bool {
	for _, r := range s {
		if !safeRune(r) {
			return false
		}
	}
	return true
}

func safeRune(r rune) bool     { return upper(r) || lowerOrDigit(r) || r == '_' }
func upper(r rune) bool        { return 'A' <= r && r <= 'Z' }
func lowerOrDigit(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }
