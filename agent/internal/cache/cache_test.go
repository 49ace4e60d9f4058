package cache

import (
	"fmt"
	"testing"
)

// Entries in use stay cached; others are evicted, so that memory is bounded.
func TestCache(t *testing.T) {
	c := New[string, int](10)
	c.Put("often", 1)
	for i := range 1000 {
		c.Put(fmt.Sprint(i), i)
		if _, ok := c.Get("often"); !ok {
			t.Fatalf("evicted after %d others", i)
		}
		if n := len(c.now) + len(c.past); n > 20 {
			t.Fatalf("%d values are cached", n)
		}
	}
	if _, ok := c.Get("0"); ok {
		t.Error("nothing was evicted")
	}
}
