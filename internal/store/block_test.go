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
	start := uint32(0)
	for i, end := range c.ends {
		texts[i] = string(c.plain[start:end])
		start = end
	}
	return texts
}

func TestCellReplace(t *testing.T) {
	const last = blockSlots - 1
	type step struct {
		slot int
		text string
	}
	tests := []struct {
		name  string
		steps []step
		want  string
	}{
		{"the first slot", []step{{0, "aa"}}, "aa"},
		{"the last slot", []step{{last, "zz"}}, "zz"},
		{"in order", []step{{0, "a"}, {1, "b"}, {last, "z"}}, "abz"},
		{"out of order", []step{{last, "z"}, {5, "f"}, {0, "a"}}, "afz"},
		{"equal length", []step{{0, "aa"}, {1, "bb"}, {2, "cc"}, {1, "BB"}}, "aaBBcc"},
		{"longer", []step{{0, "aa"}, {1, "bb"}, {2, "cc"}, {1, "BBBBBBB"}}, "aaBBBBBBBcc"},
		{"more than twice as long", []step{{0, "a"}, {1, "b"}, {2, "c"}, {1, "0123456789"}}, "a0123456789c"},
		{"shorter", []step{{0, "aa"}, {1, "bbbbb"}, {2, "cc"}, {1, "B"}}, "aaBcc"},
		{"empty", []step{{0, "aa"}, {1, "bb"}, {2, "cc"}, {1, ""}}, "aacc"},
		{"all empty", []step{{0, "aa"}, {7, "bb"}, {0, ""}, {7, ""}, {9, ""}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c cell
			var want [blockSlots]string
			for _, s := range test.steps {
				c.replace(s.slot, []byte(s.text))
				want[s.slot] = s.text
			}
			if string(c.plain) != test.want {
				t.Errorf("text %q, want %q", c.plain, test.want)
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
	for step := range 20_000 {
		slot := rng.IntN(blockSlots)
		want[slot] = strings.Repeat(string(rune('a'+step%26)), rng.IntN(40)*rng.IntN(2))
		var shared *text
		var before string
		if rng.IntN(3) == 0 {
			shared, before = c.share(), string(c.share().append(nil, packer))
			if rng.IntN(2) == 0 {
				shared.seal(packer)
			}
		}
		c.unshare(packer, rng.IntN(50), func() []byte { return nil })
		c.replace(slot, []byte(want[slot]))
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
	if sum(seed, nil) != 0 || sum(seed, []byte{}) != 0 {
		t.Error("the hash of no text is not 0")
	}
	seen := map[uint64]int{}
	for n := 1; n < 5000; n++ {
		h := sum(seed, slices.Repeat([]byte{'x'}, n))
		if h == 0 {
			t.Errorf("the hash of %d bytes is 0", n)
		}
		if m, ok := seen[h]; ok {
			t.Errorf("texts of %d and %d bytes have one hash", m, n)
		}
		seen[h] = n
	}
}
