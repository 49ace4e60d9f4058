package kubestate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/internal/request"
	"github.com/kubestate/kubestate/kind"
)

// Selection selects what a scrape returns. The zero value selects everything.
type Selection struct {
	// Only has the names of the resources to return: plurals ("pods"), or if several groups
	// have the same plural, plurals with the group ("pods.metrics.k8s.io") or with version
	// and group ("pods.v1beta1.metrics.k8s.io"). Nil selects all resources, an empty list
	// none. Names that the Exporter does not serve are ignored.
	Only []string
	// Without has the names of resources to omit, even if Only names them.
	Without []string
	// Slice selects some of the objects of each resource.
	Slice Slice
}

// Slice selects one of Of slices of the objects, counted from 0. The slices have nearly the
// same size, every object is in exactly one of them, and it stays there as long as it
// exists. The zero value selects all objects.
type Slice struct{ Index, Of int }

// mostSlices bounds Slice.Of in queries.
const mostSlices = 10_000

func (s Selection) admits(t *kind.Table) bool {
	names := func(name string) bool { return isName(name, t) }
	return (s.Only == nil || slices.ContainsFunc(s.Only, names)) && !slices.ContainsFunc(s.Without, names)
}

// isName reports whether a name of a Selection names the resource of a table.
func isName(name string, t *kind.Table) bool {
	plural, rest, qualified := strings.Cut(name, ".")
	return plural == t.Name && (!qualified || rest == t.Group || rest == strings.TrimSuffix(t.Version+"."+t.Group, "."))
}

// names returns the names in comma-separated lists; nil if there is no list.
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

// parseSlice parses I/N. At most one value is allowed.
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
