package kubestate

import (
	"bufio"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/exposition"
)

// writeBuffer joins the small writes of a response, in bytes. Larger pieces pass
// it by.
const writeBuffer = 64 << 10

// Selection says which resources a request wants. The zero value wants all.
type Selection struct {
	Only    []string // nil: all; empty: none
	Without []string
}

func (s Selection) admits(resource string) bool {
	return (s.Only == nil || slices.Contains(s.Only, resource)) && !slices.Contains(s.Without, resource)
}

// ParseSelection reads the parameters resources and exclude_resources of a query:
// names joined by commas, blanks ignored, repeatable. A parameter that is there
// but empty selects nothing.
func ParseSelection(q url.Values) Selection {
	return Selection{Only: names(q["resources"]), Without: names(q["exclude_resources"])}
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

// ServeHTTP answers a scrape: the format is negotiated, ?resources= and
// ?exclude_resources= select. Objects of a source that has not been read
// completely once are not shown.
func (x *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := exposition.Negotiate(r.Header)
	w.Header().Set("Content-Type", n.ContentType)
	w.Header().Set("Vary", "Accept")
	b := bufio.NewWriterSize(w, writeBuffer)
	if err := x.Write(b, n.Format, ParseSelection(r.URL.Query())); err != nil {
		return // the client has gone; there is nobody to tell
	}
	_ = b.Flush() // likewise
}
