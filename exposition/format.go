package exposition

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// Format is a format of the exposition.
type Format uint8

// The formats there are.
const (
	Text           Format = iota // Prometheus text format 0.0.4
	OpenMetrics                  // OpenMetrics 1.0.0
	OpenMetrics001               // the same bytes, for readers that ask for 0.0.1
)

func (f Format) openMetrics() bool { return f != Text }

// Trailer returns what ends a body of the format.
func (f Format) Trailer() string {
	if f.openMetrics() {
		return "# EOF\n"
	}
	return ""
}

// Negotiated is the answer to an Accept header: the format and the Content-Type
// that says so.
type Negotiated struct {
	Format      Format
	ContentType string
}

// maxAccepted is how many items of the Accept headers count. Clients send five or
// so; a megabyte of them must not cost a tenth of a second.
const maxAccepted = 64

// Negotiate chooses the format that the Accept headers like best (RFC 9110,
// section 12.5.1): the highest q wins, the first among equals, q=0 refuses. Where
// nothing on offer is accepted the text format is the answer, because a scrape
// that fails helps nobody. Items beyond the 64th are not read.
func Negotiate(h http.Header) Negotiated {
	best, bestQ, items := Negotiated{Text, contentType(Text, "")}, 0.0, 0
	for _, header := range h.Values("Accept") {
		for item := range strings.SplitSeq(header, ",") {
			if items++; items > maxAccepted {
				return best
			}
			n, q, ok := offer(item)
			if ok && q > bestQ {
				best, bestQ = n, q
			}
		}
	}
	return best
}

// offer returns what answers one item of an Accept header, and its q.
func offer(item string) (n Negotiated, q float64, ok bool) {
	media, params, err := mime.ParseMediaType(item)
	if err != nil {
		return n, 0, false
	}
	version := params["version"]
	switch media {
	case "application/openmetrics-text":
		switch version {
		case "1.0.0":
			n.Format = OpenMetrics
		case "", "0.0.1":
			n.Format = OpenMetrics001
		default:
			return n, 0, false
		}
	case "text/plain", "text/*", "*/*":
		n.Format = Text
	default:
		return n, 0, false
	}
	n.ContentType = contentType(n.Format, params["escaping"])
	return n, quality(params["q"]), true
}

// quality is the value of a q parameter, 1 where there is none. What is no number
// between 0 and 1 counts as 0.
func quality(q string) float64 {
	if q == "" {
		return 1
	}
	v, err := strconv.ParseFloat(q, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return 0
	}
	return v
}

// contentType says the format. Names here need no escaping, so that any scheme
// the client prefers is honoured; Prometheus wants it echoed.
func contentType(f Format, escaping string) string {
	switch escaping {
	case "allow-utf-8", "underscores", "dots", "values":
	default:
		escaping = "underscores"
	}
	switch f {
	case OpenMetrics:
		return "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=" + escaping
	case OpenMetrics001:
		return "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=" + escaping
	default:
		return "text/plain; version=0.0.4; charset=utf-8"
	}
}
