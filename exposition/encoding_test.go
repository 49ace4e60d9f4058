package exposition

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestNegotiateEncoding(t *testing.T) {
	many := func(n int) string { return strings.Repeat("br,", n) }
	tests := []struct {
		name   string
		accept []string
		want   Encoding
	}{
		{"Prometheus", []string{"gzip"}, Gzip},
		{"Prometheus with zstd-scrape", []string{"zstd,gzip"}, Zstd},
		{"vmagent", []string{"gzip"}, Gzip},
		{"Go", []string{"gzip"}, Gzip},
		{"curl", nil, Identity},
		{"curl --compressed", []string{"deflate, gzip, br, zstd"}, Gzip},
		{"curl --compressed before zstd", []string{"deflate, gzip, br"}, Gzip},
		{"wget", []string{"identity"}, Identity},
		{"Python urllib", []string{"identity"}, Identity},
		{"Python requests", []string{"gzip, deflate"}, Gzip},
		{"Node fetch", []string{"gzip, deflate"}, Gzip},
		{"Node fetch over TLS", []string{"br, gzip, deflate"}, Gzip},
		{"browser", []string{"gzip, deflate"}, Gzip},
		{"browser over TLS", []string{"gzip, deflate, br, zstd"}, Gzip},

		{"empty header", []string{""}, Identity},
		{"upper case and blanks", []string{"  GZip ; Q=0.5 "}, Gzip},
		{"x-gzip is gzip", []string{"x-gzip"}, Gzip},
		{"x-gzip next to excluded gzip", []string{"gzip;q=0, x-gzip"}, Gzip},
		{"named twice", []string{"gzip, x-gzip;q=0"}, Gzip},
		{"only unsupported encodings", []string{"br, compress, deflate"}, Identity},
		{"several headers", []string{"br", "gzip;q=0.1"}, Gzip},

		{"everything", []string{"*"}, Gzip},
		{"everything, gzip excluded", []string{"*, gzip;q=0"}, Identity},
		{"everything else excluded", []string{"gzip, *;q=0"}, Gzip},
		{"everything excluded", []string{"*;q=0"}, Identity},
		{"everything less than gzip", []string{"gzip, *;q=0.5"}, Gzip},
		{"everything more than gzip", []string{"gzip;q=0.1, *;q=0.5"}, Identity},
		{"zstd excluded", []string{"zstd;q=0, *"}, Gzip},
		{"zstd named next to everything", []string{"*, zstd"}, Zstd},

		{"zstd alone", []string{"zstd"}, Zstd},
		{"zstd less than gzip", []string{"zstd;q=0.9, gzip"}, Gzip},
		{"zstd more than gzip", []string{"gzip;q=0.5, zstd;q=0.6"}, Zstd},
		{"zstd equal to gzip, in separate headers", []string{"zstd;q=0.5", "gzip;q=0.5"}, Zstd},
		{"both excluded", []string{"gzip;q=0, zstd;q=0.000"}, Identity},

		{"identity equal to gzip", []string{"identity, gzip"}, Gzip},
		{"identity equal to zstd", []string{"identity;q=0.5, zstd;q=0.5"}, Zstd},
		{"identity more than gzip", []string{"identity, gzip;q=0.9"}, Identity},
		{"identity more than zstd", []string{"identity;q=0.4, zstd;q=0.3, gzip;q=0.2"}, Identity},
		{"a little gzip", []string{"gzip;q=0.001"}, Gzip},
		{"identity excluded", []string{"identity;q=0, gzip;q=0.1"}, Gzip},
		{"identity excluded, everything else accepted", []string{"identity;q=0, *"}, Gzip},
		{"identity excluded and nothing else accepted", []string{"identity;q=0"}, Identity},

		{"q above 1 is invalid", []string{"gzip;q=2"}, Identity},
		{"negative q", []string{"gzip;q=-1"}, Identity},
		{"q is not a number", []string{"gzip;q=high, zstd;q=NaN"}, Identity},
		{"a malformed item does not affect the others", []string{"/;;=,gzip;q,zstd"}, Zstd},
		{"control characters", []string{"\x00\xff"}, Identity},
		{"the 64th item counts", []string{many(63) + "gzip"}, Gzip},
		{"the 65th does not", []string{many(64) + "gzip"}, Identity},
		{"the 65th of several headers does not", append(slices.Repeat([]string{"br"}, 64), "gzip"), Identity},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Negotiate(http.Header{"Accept-Encoding": test.accept, "Accept": {om}})
			if want := (Negotiated{OpenMetrics, om1Type, test.want}); got != want {
				t.Errorf("Accept-Encoding: %q\n got %v\nwant %v", test.accept, got, want)
			}
		})
	}
}

func TestContentEncoding(t *testing.T) {
	for encoding, want := range map[Encoding]string{Identity: "", Gzip: "gzip", Zstd: "zstd"} {
		if got := encoding.ContentEncoding(); got != want {
			t.Errorf("encoding %d: %q, want %q", encoding, got, want)
		}
	}
}

// A response never has an encoding that the client did not mention.
func FuzzNegotiateEncoding(f *testing.F) {
	for _, s := range []string{"", "*", "gzip", "zstd,gzip;q=0.5", "deflate, gzip, br, zstd", "*;q=0, identity;q=0", ",;=/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := Negotiate(http.Header{"Accept-Encoding": {accept}}).Encoding
		lower := strings.ToLower(accept)
		switch {
		case got == Zstd && !strings.Contains(lower, "zstd"),
			got == Gzip && !strings.Contains(lower, "gzip") && !strings.Contains(lower, "*"),
			got > Zstd:
			t.Errorf("Accept-Encoding: %q: got %d", accept, got)
		}
	})
}
