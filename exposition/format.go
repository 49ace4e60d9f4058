package exposition

import (
	"iter"
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
	Protobuf                     // io.prometheus.client.MetricFamily messages, each behind its length
)

func (f Format) openMetrics() bool { return f == OpenMetrics || f == OpenMetrics001 }

// Trailer returns what ends a body of the format.
func (f Format) Trailer() string {
	if f.openMetrics() {
		return "# EOF\n"
	}
	return ""
}

// Negotiated is the answer to what a request accepts: the format, the
// Content-Type that says so, and the encoding of the body.
type Negotiated struct {
	Format      Format
	ContentType string
	Encoding    Encoding
}

// Negotiate chooses the format that the Accept headers like best (RFC 9110,
// section 12.5.1): the highest q wins, the first among equals, q=0 refuses. Where
// nothing on offer is accepted the text format is the answer, because a scrape
// that fails helps nobody. The encoding is chosen from the Accept-Encoding
// headers: gzip where it is accepted, zstd where it is liked more or named first;
// without such a header the body is not encoded. Of either header, items beyond
// the 64th are not read.
func Negotiate(h http.Header) Negotiated {
	format, escaping, best := Text, "", 0.0
	for media, params := range items(h.Values("Accept")) {
		f, ok := offered(media, params)
		if q := quality(params["q"]); ok && q > best {
			format, escaping, best = f, params["escaping"], q
		}
	}
	return Negotiated{format, contentType(format, escaping), negotiateEncoding(h.Values("Accept-Encoding"))}
}

// maxItems is how many items of the headers of one name count. Clients send five
// or so; a megabyte of them must not cost a tenth of a second.
const maxItems = 64

// items yields the well-formed items of comma-separated headers, in lower case,
// and their parameters.
func items(headers []string) iter.Seq2[string, map[string]string] {
	return func(yield func(string, map[string]string) bool) {
		n := 0
		for _, header := range headers {
			for item := range strings.SplitSeq(header, ",") {
				if n++; n > maxItems {
					return
				}
				name, params, err := mime.ParseMediaType(item)
				if err == nil && !yield(name, params) {
					return
				}
			}
		}
	}
}

// offered returns the format that answers a media type, if there is one.
func offered(media string, params map[string]string) (f Format, ok bool) {
	switch media {
	case "application/openmetrics-text":
		switch params["version"] {
		case "1.0.0":
			return OpenMetrics, true
		case "", "0.0.1":
			return OpenMetrics001, true
		}
	case "application/vnd.google.protobuf":
		return Protobuf, params["proto"] == "io.prometheus.client.MetricFamily" && params["encoding"] == "delimited"
	case "text/plain", "text/*", "*/*":
		return Text, true
	}
	return Text, false
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
	case Protobuf:
		return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=" + escaping
	default:
		return "text/plain; version=0.0.4; charset=utf-8"
	}
}
