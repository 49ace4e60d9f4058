package kubestate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/internal/request"
	"github.com/kubestate/kubestate/internal/store"
)

// Selection says what a request wants. The zero value wants all.
type Selection struct {
	Only    []string // resources; nil: all; empty: none
	Without []string // resources
	Slice   Slice
}

// Slice is one of several parts of the objects, which together are all and have
// nearly the same size: part Index, counted from 0, of Of. The zero value is all
// objects. An object stays in its slice as long as it exists.
type Slice = store.Slice

// mostSlices bounds Slice.Of: more parts than that are a mistake.
const mostSlices = 10_000

func (s Selection) admits(resource string) bool {
	return (s.Only == nil || slices.Contains(s.Only, resource)) && !slices.Contains(s.Without, resource)
}

// names returns the names in comma-separated lists, nil where there is no list.
func names(lists []string) []string {
	if lists == nil {
		return nil
	}
	all := []string{}
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				all = append(all, name)
			}
		}
	}
	return all
}

// parseSlice reads I/N, of which there may be one.
func parseSlice(values []string) (Slice, error) {
	if len(values) == 0 {
		return Slice{}, nil
	}
	first, of, found := strings.Cut(values[0], "/")
	i, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(of)
	if len(values) > 1 || !found || err1 != nil || err2 != nil || n > mostSlices || i < 1 || i > n {
		return Slice{}, fmt.Errorf("invalid slice %s: must be I/N with 1 ≤ I ≤ N ≤ %d, once, for example slice=1/8",
			request.Quote(strings.Join(values, ",")), mostSlices)
	}
	return Slice{Index: i - 1, Of: n}, nil
}
