package exposition

// Vary is the value of the Vary header of every response: the headers that Negotiate reads.
const Vary = "Accept, Accept-Encoding"

// Encoding is a content coding of a body (RFC 9110, section 8.4.1).
type Encoding uint8

// The encodings.
const (
	Identity Encoding = iota // not encoded
	Gzip                     // RFC 1952
	Zstd                     // RFC 8878
)

// ContentEncoding returns the value of the Content-Encoding header; empty for Identity, which
// has no such header.
func (e Encoding) ContentEncoding() string {
	switch e {
	case Gzip:
		return "gzip"
	case Zstd:
		return "zstd"
	default:
		return ""
	}
}

// negotiateEncoding chooses the encoding that the Accept-Encoding headers prefer (RFC
// 9110, section 12.5.3): the highest q wins, q=0 excludes. With equal q, gzip and zstd
// win over identity, and of those two the one named first: browsers and curl name gzip
// first, and a Prometheus that prefers zstd names it first. An encoding that is not
// named has the q of *, except zstd, which must be named. If no offered encoding is
// accepted, the response is not encoded, because a failed scrape helps nobody.
func negotiateEncoding(headers []string) Encoding {
	named, gzipFirst := map[string]float64{}, false
	for name, params := range items(headers) {
		if name == "x-gzip" { // section 8.4.1.3
			name = "gzip"
		}
		if _, zstd := named["zstd"]; name == "gzip" && !zstd {
			gzipFirst = true
		}
		named[name] = max(named[name], quality(params["q"]))
	}
	q := func(name string) float64 {
		if q, ok := named[name]; ok {
			return q
		}
		return named["*"]
	}
	identity, gzip, zstd := q("identity"), q("gzip"), named["zstd"]
	switch {
	case zstd > 0 && zstd >= identity && (zstd > gzip || zstd == gzip && !gzipFirst):
		return Zstd
	case gzip > 0 && gzip >= identity:
		return Gzip
	default:
		return Identity
	}
}
