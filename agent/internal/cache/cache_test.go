package cache

import (
	"fmt"
	"testing"
)

// What is asked for again and again stays known; what is not is forgotten, so that
// memory is bounded.
func TestCache(t *testing.T) {
	c := New[string, int](10)
	c.Put("often", 1)
	for i := range 1000 {
		c.Put(fmt.Sprint(i), i)
		if _, ok := c.Get("often"); !ok {
			t.Fatalf("forgotten after %d others", i)
		}
		if n := len(c.now) + len(c.past); n > 20 {
			t.Fatalf("%d values are remembered", n)
		}
	}
	if _, ok := c.Get("0"); ok {
		t.Error("nothing is forgotten")
	}
}
