package series

import (
	"cmp"
	"github.com/kubestate/kubestate/agent/naming"
	"math"
	"slices"
	"sort"
)

// ranking is a sorted multiset of words, ordered by an operation. It is split into chunks,
// so that a change moves little memory even if there are many words.
type ranking struct {
	chunks [][]ranked // none is empty
}

// ranked is a word and how often it occurs.
type ranked struct {
	word uint64
	n    int
}

// maxChunk is the maximum length of a chunk; longer ones are split in half.
const maxChunk = 256

func compareWords(op naming.Op, a, b uint64) int {
	if op == naming.Latest {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(math.Float64frombits(a), math.Float64frombits(b))
}

// find returns the chunk and the position of a word, or where to insert it.
func (r *ranking) find(op naming.Op, word uint64) (chunk, i int, found bool) {
	after := sort.Search(len(r.chunks), func(i int) bool { return compareWords(op, r.chunks[i][0].word, word) > 0 })
	chunk = max(after-1, 0)
	i, found = slices.BinarySearchFunc(r.chunks[chunk], word, func(a ranked, word uint64) int { return compareWords(op, a.word, word) })
	return chunk, i, found
}

func (r *ranking) add(op naming.Op, word uint64) {
	if len(r.chunks) == 0 {
		r.chunks = [][]ranked{{{word, 1}}}
		return
	}
	at, i, found := r.find(op, word)
	if found {
		r.chunks[at][i].n++
		return
	}
	chunk := slices.Insert(r.chunks[at], i, ranked{word, 1})
	if len(chunk) > maxChunk {
		r.chunks = slices.Insert(r.chunks, at+1, slices.Clone(chunk[maxChunk/2:]))
		chunk = chunk[:maxChunk/2]
	}
	r.chunks[at] = chunk
}

// remove removes a word, which must be present.
func (r *ranking) remove(op naming.Op, word uint64) {
	at, i, _ := r.find(op, word)
	chunk := r.chunks[at]
	if chunk[i].n--; chunk[i].n > 0 {
		return
	}
	if chunk = slices.Delete(chunk, i, i+1); len(chunk) == 0 {
		r.chunks = slices.Delete(r.chunks, at, at+1)
		return
	}
	r.chunks[at] = chunk
}

// first returns the lowest word. There must be at least one.
func (r *ranking) first() uint64 { return r.chunks[0][0].word }

// last returns the highest word. There must be at least one.
func (r *ranking) last() uint64 {
	chunk := r.chunks[len(r.chunks)-1]
	return chunk[len(chunk)-1].word
}
