package series

import (
	"github.com/kubestate/kubestate/agent/naming"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever words are added and removed, few or many, first and last are those of the
// remaining words.
func TestRanking(t *testing.T) {
	for _, most := range []int{3, 10 * maxChunk} {
		r := rand.New(rand.NewPCG(1, uint64(most)))
		var x ranking
		var left []uint64 // ascending
		for step := range 20 * most {
			grow := step/(5*most)%2 == 0 // in turns
			if len(left) == 0 || r.IntN(4) > 0 == grow {
				word := r.Uint64N(uint64(2 * most))
				x.add(naming.Latest, word)
				i, _ := slices.BinarySearch(left, word)
				left = slices.Insert(left, i, word)
			} else {
				i := r.IntN(len(left))
				x.remove(naming.Latest, left[i])
				left = slices.Delete(left, i, i+1)
			}
			switch {
			case len(left) == 0 && len(x.chunks) > 0:
				t.Fatalf("step %d: empty, but has chunks %v", step, x.chunks)
			case len(left) > 0 && (x.first() != left[0] || x.last() != left[len(left)-1]):
				t.Fatalf("step %d: from %d to %d, want %d to %d", step, x.first(), x.last(), left[0], left[len(left)-1])
			}
		}
		var got []uint64
		for _, chunk := range x.chunks {
			if len(chunk) == 0 || len(chunk) > maxChunk {
				t.Errorf("a chunk has %d words", len(chunk))
			}
			for _, w := range chunk {
				got = append(got, slices.Repeat([]uint64{w.word}, w.n)...)
			}
		}
		if !slices.Equal(got, left) {
			t.Errorf("%d words remain, want %d", len(got), len(left))
		}
	}
}
