package agent

import (
	"fmt"
	"testing"
)

func TestPatterns(t *testing.T) {
	p := compilePatterns(map[string]string{"cpu": "1", "CPU-*": "2", "cpu-*-x": "3", "*": "4", "*-y": "5", "": "6"})
	for value, want := range map[string]string{
		"cpu": "1 ", "CPU": "1 ", "cpu-Ab": "2 Ab", "Cpu-Ab-X": "3 Ab", "cpu--x": "3 ", "cpu-x": "2 x", "other": "4 other", "a-y": "5 a", "": "6 ", "Ünï-y": "5 Ünï",
	} {
		text, captured, ok := p.find(value)
		if got := text + " " + captured; got != want || !ok {
			t.Errorf("%q finds %q, want %q", value, got, want)
		}
	}
	p = compileList([]string{"a", "b*"})
	if _, _, ok := p.find("c"); ok {
		t.Error("c is found among a and b*")
	}
}

// What is asked for again and again stays known; what is not is forgotten, so that
// memory is bounded.
func TestCache(t *testing.T) {
	c := newCache[string, int](10)
	c.put("often", 1)
	for i := range 1000 {
		c.put(fmt.Sprint(i), i)
		if _, ok := c.get("often"); !ok {
			t.Fatalf("forgotten after %d others", i)
		}
		if n := len(c.now) + len(c.past); n > 20 {
			t.Fatalf("%d values are remembered", n)
		}
	}
	if _, ok := c.get("0"); ok {
		t.Error("nothing is forgotten")
	}
}

func TestHostSuffix(t *testing.T) {
	for name, want := range map[string]string{"": "", "prod": "-prod", "Prod_EU 1": "-prod-eu-1", "a.b": "-a.b", "-x-": "-x", "_": ""} {
		if got := hostSuffix(name); got != want {
			t.Errorf("suffix of %q is %q, want %q", name, got, want)
		}
	}
}
