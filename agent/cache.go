package agent

import "strings"

// cache remembers values that were asked for lately. When it is full it forgets
// those that were not asked for since it last was, so that its memory is bounded
// without keeping account. It is not safe for concurrent use.
type cache[K comparable, V any] struct {
	limit     int
	now, past map[K]V
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{limit: limit, now: map[K]V{}}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	if v, ok := c.now[key]; ok {
		return v, true
	}
	v, ok := c.past[key]
	if ok {
		c.put(key, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	if len(c.now) >= c.limit {
		c.now, c.past = map[K]V{}, c.now
	}
	c.now[key] = v
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
