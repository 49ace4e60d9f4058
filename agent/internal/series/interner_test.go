package series

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/kubestate/kubestate/agent/internal/cache"
)

// Words that were requested stay intact when the memory of others is reused, even if they
// were about to be evicted.
func TestWordsSurviveEviction(t *testing.T) {
	w := &interner{words: cache.New[string, string](60)}
	fill := func(from, n int) {
		for i := range n {
			w.word(fmt.Sprint("word ", from+i))
		}
	}
	w.word("8080")
	fill(0, 60) // 8080 is remembered from before alone
	memory := []byte("8080")
	view := unsafe.String(&memory[0], len(memory))
	if got := w.word(view); got != "8080" {
		t.Errorf("8080 is stored as %q", got)
	}
	copy(memory, "9090")
	fill(100, 50) // the map grows, and rehashes its keys
	for _, word := range []string{"9090", "8080"} {
		if got := w.word(word); got != word {
			t.Errorf("%s is stored as %q", word, got)
		}
	}
}
