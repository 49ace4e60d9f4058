package kubestate

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/kubestate/kubestate/exposition"
)

// ServeHTTP answers a scrape: format and encoding are negotiated, the parameters
// of the query select (see ParseSelection). Objects of a source that has not been
// read completely once are not shown.
func (x *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sel, err := ParseSelection(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := exposition.Negotiate(r.Header)
	if x.plainOnly {
		n.Encoding = exposition.Identity
	}
	body := x.body(n.Format, sel)
	h := w.Header()
	h.Set("Content-Type", n.ContentType)
	h.Set("Vary", exposition.Vary)
	if e := n.Encoding.ContentEncoding(); e != "" {
		h.Set("Content-Encoding", e)
	}
	if length, known := body.Encode(n.Encoding); known {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	if r.Method != http.MethodHead {
		_ = body.Write(w, n.Encoding) // the client has gone; there is nobody to tell
	}
}

// ParseSelection reads the parameters of a query: resources and exclude_resources
// are names joined by commas, blanks ignored, repeatable; a parameter that is there
// but empty selects nothing. slice is I/N, the I-th of N parts, counted from 1.
func ParseSelection(q url.Values) (Selection, error) {
	slice, err := parseSlice(q["slice"])
	return Selection{Only: names(q["resources"]), Without: names(q["exclude_resources"]), Slice: slice}, err
}
