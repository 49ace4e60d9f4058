// Package request checks what every HTTP handler of kubestate refuses: other methods than
// GET and HEAD, and queries that cannot be parsed. It knows no paths and no parameters.
package request

import (
	"fmt"
	"net/http"
	"net/url"
)

// Check returns the query of a request. It answers 405 to methods other than GET and
// HEAD, and 400 to a malformed query, of which net/http would silently drop a part; ok is
// false then.
func Check(w http.ResponseWriter, r *http.Request) (query url.Values, ok bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, fmt.Sprintf("method %s not allowed: must be GET or HEAD", Quote(r.Method)), http.StatusMethodNotAllowed)
		return nil, false
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, fmt.Sprintf("invalid query %s: %s", Quote(r.URL.RawQuery), cut(err.Error())), http.StatusBadRequest)
		return nil, false
	}
	return query, true
}

// quoted is how many bytes of what a client sent an error repeats.
const quoted = 100

// Quote quotes the beginning of what a client sent.
func Quote(s string) string { return fmt.Sprintf("%q", cut(s)) }

func cut(s string) string {
	if len(s) > quoted {
		return s[:quoted] + "…"
	}
	return s
}
