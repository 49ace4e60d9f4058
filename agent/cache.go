package agent

import "strings"

// cache remembers values that were asked for lately. When it is full it forgets
// those that were not asked for since it last was, so that its memory is bounded
// without keeping account. It is not safe for concurrent use.
type cache[K comparable, V any] struct {
	limit     int
	now, past map[K]cached[K, V]
}

// cached is a value and the key that it was put under.
type cached[K, V any] struct {
	key   K
	value V
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{limit: limit, now: map[K]cached[K, V]{}}
}

// get does not keep the key, which may be a view of memory that is used again.
func (c *cache[K, V]) get(key K) (V, bool) {
	if x, ok := c.now[key]; ok {
		return x.value, true
	}
	x, ok := c.past[key]
	if ok {
		c.put(x.key, x.value)
	}
	return x.value, ok
}

// put keeps the key.
func (c *cache[K, V]) put(key K, v V) {
	if len(c.now) >= c.limit {
		c.now, c.past = map[K]cached[K, V]{}, c.now
	}
	c.now[key] = cached[K, V]{key, v}
}

// words makes strings that recur take memory once.
type words struct{ cache *cache[string, string] }

func newWords() words { return words{newCache[string, string](cachedWords)} }

// cachedWords is how many strings are remembered: of values that recur, a large
// cluster has some ten thousand (Nodes, owners, versions).
const cachedWords = 1 << 14

// keep returns a copy of s that shares no memory with s.
func (w words) keep(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := w.cache.get(s); ok {
		return known
	}
	s = strings.Clone(s)
	w.cache.put(s, s)
	return s
}
