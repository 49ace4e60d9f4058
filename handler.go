package kubestate

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/request"
)

// ServeHTTP answers a scrape. Format and encoding are negotiated. Query parameters select
// what is served (see ParseSelection); the response to a malformed one is 400, and to
// methods other than GET and HEAD 405. Objects of a Feed are served after its first Commit.
func (x *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, ok := request.Check(w, r)
	if !ok {
		return
	}
	sel, err := ParseSelection(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := exposition.Negotiate(r.Header)
	if x.plainOnly.Load() {
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
		_ = body.Write(w, n.Encoding) // an error means that the client has disconnected
	}
}

// ParseSelection reads the parameters of a query. resources and exclude_resources are
// comma-separated names, may be repeated, and ignore white space; resources= without a
// name selects nothing. slice is I/N: the I-th of N slices, counted from 1.
func ParseSelection(q url.Values) (Selection, error) {
	slice, err := parseSlice(q["slice"])
	return Selection{Only: names(q["resources"]), Without: names(q["exclude_resources"]), Slice: slice}, err
}
