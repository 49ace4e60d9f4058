// Package cache remembers values by key within a bound.
package cache

// Cache remembers values that were asked for lately. When it is full it forgets
// those that were not asked for since it last was, so that its memory is bounded
// without keeping account. It is not safe for concurrent use.
type Cache[K comparable, V any] struct {
	limit     int
	now, past map[K]cached[K, V]
}

// cached is a value and the key that it was put under.
type cached[K, V any] struct {
	key   K
	value V
}

// New returns an empty Cache that remembers at most twice limit values.
func New[K comparable, V any](limit int) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, now: map[K]cached[K, V]{}}
}

// Get does not keep the key, which may be a view of memory that is used again.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	if x, ok := c.now[key]; ok {
		return x.value, true
	}
	x, ok := c.past[key]
	if ok {
		c.Put(x.key, x.value)
	}
	return x.value, ok
}

// Put keeps the key.
func (c *Cache[K, V]) Put(key K, v V) {
	if len(c.now) >= c.limit {
		c.now, c.past = map[K]cached[K, V]{}, c.now
	}
	c.now[key] = cached[K, V]{key, v}
}
