package exposition

import (
	"iter"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// Format is an exposition format.
type Format uint8

// The formats.
const (
	Text           Format = iota // Prometheus text format 0.0.4
	OpenMetrics                  // OpenMetrics 1.0.0
	OpenMetrics001               // the same bytes, for clients that request 0.0.1
	Protobuf                     // io.prometheus.client.MetricFamily messages, each preceded by its length
)

func (f Format) openMetrics() bool { return f == OpenMetrics || f == OpenMetrics001 }

// Trailer returns the end of a body in the format; empty for most.
func (f Format) Trailer() string {
	if f.openMetrics() {
		return "# EOF\n"
	}
	return ""
}

// Negotiated is the result of content negotiation: the format, its Content-Type, and the
// encoding of the body.
type Negotiated struct {
	Format      Format
	ContentType string
	Encoding    Encoding
}

// Negotiate chooses the format that the Accept headers prefer (RFC 9110, section
// 12.5.1): the highest q wins, the first among equals, q=0 excludes. If no offered
// format is accepted, it chooses the text format, because a failed scrape helps nobody.
// It chooses the encoding from the Accept-Encoding headers: gzip if accepted, or zstd
// if the client prefers it or names it first; without such a header the body is not
// encoded. Only the first 64 items of either header count; malformed items are ignored.
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

// maxItems bounds how many items of a header count. Clients send about five.
const maxItems = 64

// items yields the well-formed items of comma-separated headers, in lower case, with their
// parameters.
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

// offered returns the format for a media type, if there is one.
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

// quality returns the value of a q parameter: 1 if it is missing, 0 if it is not a number
// between 0 and 1.
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

// contentType returns the Content-Type of a format. Names of metrics and labels here need no
// escaping, so any escaping scheme that the client requests can be echoed, as Prometheus
// expects.
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
