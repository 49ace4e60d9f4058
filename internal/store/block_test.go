package store

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/piece"
)

// slotTexts returns the text of each slot of a cell.
func slotTexts(c *cell) [blockSlots]string {
	var texts [blockSlots]string
	for i := range texts {
		start, end := c.bounds(c.plain, i)
		texts[i] = string(c.plain[start:end])
	}
	return texts
}

// put replaces the lines of a slot, each given without its line feed.
func put(c *cell, slot int, lines ...string) string {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l + "\n")
	}
	c.replace(slot, []byte(text.String()), len(lines))
	return text.String()
}

func TestCellReplace(t *testing.T) {
	const last = blockSlots - 1
	type step struct {
		slot  int
		lines []string
	}
	lines := func(l ...string) []string { return l }
	tests := []struct {
		name  string
		steps []step
		want  string // blanks are line feeds
	}{
		{"the first slot", []step{{0, lines("aa")}}, "aa "},
		{"the last slot", []step{{last, lines("zz")}}, "zz "},
		{"in order", []step{{0, lines("a")}, {1, lines("b")}, {last, lines("z")}}, "a b z "},
		{"out of order", []step{{last, lines("z")}, {5, lines("f")}, {0, lines("a")}}, "a f z "},
		{"several lines", []step{{3, lines("d", "", "d")}, {0, lines("a", "a")}, {4, lines("e")}, {3, lines("D", "D")}}, "a a D D e "},
		{"equal length", []step{{0, lines("aa")}, {1, lines("bb")}, {2, lines("cc")}, {1, lines("BB")}}, "aa BB cc "},
		{"longer", []step{{0, lines("aa")}, {1, lines("bb")}, {2, lines("cc")}, {1, lines("BBBBBBB")}}, "aa BBBBBBB cc "},
		{"more than twice as long", []step{{0, lines("a")}, {1, lines("b")}, {2, lines("c")}, {1, lines("0123456789")}}, "a 0123456789 c "},
		{"shorter", []step{{0, lines("aa")}, {1, lines("bbbbb")}, {2, lines("cc")}, {1, lines("B")}}, "aa B cc "},
		{"none", []step{{0, lines("aa")}, {1, lines("bb")}, {2, lines("cc")}, {1, nil}}, "aa cc "},
		{"the last one gone", []step{{0, lines("aa")}, {7, lines("bb")}, {7, nil}, {9, lines("cc")}, {9, nil}, {1, lines("dd")}}, "aa dd "},
		{"all gone", []step{{0, lines("aa")}, {7, lines("bb")}, {0, nil}, {7, nil}, {9, nil}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c cell
			var want [blockSlots]string
			for _, s := range test.steps {
				want[s.slot] = put(&c, s.slot, s.lines...)
			}
			if got := strings.ReplaceAll(string(c.plain), "\n", " "); got != test.want {
				t.Errorf("text %q, want %q", got, test.want)
			}
			if got := slotTexts(&c); got != want {
				t.Errorf("slots %q, want %q", got, want)
			}
		})
	}
}

func TestCellReplaceAtRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	packer := piece.NewPacker()
	var c cell
	var want [blockSlots]string
	for step := range 8_000 {
		slot := rng.IntN(blockSlots)
		lines := make([]string, rng.IntN(3))
		for i := range lines {
			lines[i] = strings.Repeat(string(rune('a'+step%26)), rng.IntN(20))
		}
		var shared *text
		var before string
		if rng.IntN(3) == 0 {
			shared, before = c.share(), string(c.share().append(nil, packer))
			if rng.IntN(2) == 0 {
				shared.seal(packer)
			}
		}
		c.unshare(packer, rng.IntN(50), func(size int) []byte { return make([]byte, 0, size) })
		want[slot] = put(&c, slot, lines...)
		if shared != nil && string(shared.append(nil, packer)) != before {
			t.Fatalf("step %d changed a text that was shared", step)
		}
		if got := slotTexts(&c); got != want {
			t.Fatalf("step %d, slot %d: got %q, want %q", step, slot, got, want)
		}
		if got := strings.Join(want[:], ""); string(c.plain) != got {
			t.Fatalf("step %d: text %q, want %q", step, c.plain, got)
		}
	}
}

func TestSumTellsEmptyFromNotEmpty(t *testing.T) {
	seed := maphash.MakeSeed()
	if sum(seed, nil) != (hash{}) || sum(seed, []byte{}) != (hash{}) {
		t.Error("the hash of no text is not 0")
	}
	seen := map[hash]int{}
	for n := 1; n < 5000; n++ {
		h := sum(seed, slices.Repeat([]byte{'x'}, n))
		if h == (hash{}) {
			t.Errorf("the hash of %d bytes is 0", n)
		}
		if m, ok := seen[h]; ok {
			t.Errorf("texts of %d and %d bytes have one hash", m, n)
		}
		seen[h] = n
	}
}
