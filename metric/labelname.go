package metric

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCachedNames bounds the cache of derived label names of an Emitter.
const maxCachedNames = 10_000

// deriver derives label names from keys of Kubernetes maps. Keys recur from object to
// object, so results are cached.
type deriver struct {
	cache map[derived]string
	keys  []string       // sorted keys of the current map
	seen  map[string]int // label name → number of keys of the current map that yield it
}

type derived struct{ prefix, key string }

// LabelMap adds the entries of m with allowed keys to the next AddLabeled, sorted by
// key. Their names are prefix, an underscore and the key as changed by DeriveName; keys
// that would yield the same name get the suffixes _conflict1, _conflict2 and so on, in
// that order. A nil allow allows all keys. An invalid prefix is an error in the table
// and panics.
//
// It allocates only for new keys and for conflicts.
func (e *Emitter) LabelMap(prefix string, m map[string]string, allow func(key string) bool) {
	if !validLabel(prefix) {
		panic(fmt.Sprintf("metric: %s: invalid label prefix %q: %s", e.sample.Desc.Name, prefix, labelRule))
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

// resolve makes names unique that occur more than once. count has how often each
// occurs.
func resolve(names []string, count map[string]int) {
	last := map[string]int{} // conflicting name → last suffix
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

// keep caches name for a key. The key is cloned, because it may be part of a complete
// object's memory.
func (d *deriver) keep(prefix, key, name string) string {
	if d.cache == nil || len(d.cache) >= maxCachedNames {
		d.cache = map[derived]string{}
	}
	d.cache[derived{prefix, strings.Clone(key)}] = name
	return name
}

// SafeName is the function SafeName with a cache: it allocates only for new, unsafe
// strings.
func (e *Emitter) SafeName(s string) string {
	if safe(s) {
		return s
	}
	if n, ok := e.derive.cache[derived{"", s}]; ok {
		return n
	}
	return e.derive.keep("", s, SafeName(s))
}

// DeriveName returns the part of a label name that represents a Kubernetes key:
// SafeName, with an underscore between a lower-case letter or digit and a following
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

// Derives reports whether DeriveName(key) is name. It does not allocate.
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

// SafeName returns s with every rune outside [a-zA-Z0-9_] replaced with an underscore.
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
