package exposition

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	textType = "text/plain; version=0.0.4; charset=utf-8"
	om1Type  = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
	om0Type  = "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores"
	pbType   = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores"
	om       = "application/openmetrics-text;version=1.0.0"
	pb       = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// formatOf maps content types to formats.
var formatOf = map[string]Format{textType: Text, om1Type: OpenMetrics, om0Type: OpenMetrics001, pbType: Protobuf}

func negotiate(accept ...string) Negotiated { return Negotiate(http.Header{"Accept": accept}) }

func TestNegotiateVectors(t *testing.T) {
	for _, v := range readVectors(t).Accept {
		if v.Accept == pb {
			v.ContentType = pbType // the only format that kube-state-metrics does not support
		}
		if got := negotiate(v.Accept); got.ContentType != v.ContentType {
			t.Errorf("Accept: %s\n got %s\nwant %s", v.Accept, got.ContentType, v.ContentType)
		}
	}
}

func TestNegotiate(t *testing.T) {
	tests := []struct {
		name   string
		accept []string
		want   string
	}{
		{"no header", nil, textType},
		{"upper case", []string{"Application/OpenMetrics-Text; Version=1.0.0; Q=1"}, om1Type},
		{"blanks", []string{"  application/openmetrics-text ; version=1.0.0 ; q=0.5 , text/plain ; q=0.4 "}, om1Type},
		{"a quoted version", []string{`application/openmetrics-text;version="1.0.0"`}, om1Type},
		{"wildcard of a type", []string{"text/*"}, textType},

		{"a higher q wins", []string{om + ";q=0.4,text/plain;q=0.5"}, textType},
		{"a higher q wins in any order", []string{"text/plain;q=0.4," + om + ";q=0.5"}, om1Type},
		{"the first wins among equals", []string{om + ";q=0.5,text/plain;q=0.5"}, om1Type},
		{"the first wins among equals, reversed", []string{"text/plain," + om}, textType},
		{"the first version wins among equals", []string{"application/openmetrics-text;version=0.0.1," + om}, om0Type},
		{"no q is q=1", []string{"text/plain;q=0.999," + om}, om1Type},

		{"q=0 excludes", []string{om + ";q=0"}, textType},
		{"q=0 excludes, the other is chosen", []string{om + ";q=0,text/plain;q=0.1"}, textType},
		{"q=0.000 excludes", []string{"application/openmetrics-text;q=0.000"}, textType},
		{"text excluded", []string{"text/plain;q=0," + om + ";q=0.1"}, om1Type},
		{"everything excluded", []string{"text/plain;q=0," + om + ";q=0,*/*;q=0"}, textType},

		{"q above 1 is invalid", []string{om + ";q=1.5,text/plain;q=0.1"}, textType},
		{"negative q", []string{om + ";q=-1"}, textType},
		{"q is not a number", []string{om + ";q=high"}, textType},
		{"q is NaN", []string{om + ";q=NaN"}, textType},
		{"q is infinite", []string{om + ";q=Inf"}, textType},
		{"two q", []string{om + ";q=1;q=0.1,text/plain;q=0.2"}, textType},
		{"a malformed item does not affect the others", []string{"/;;=," + om + ",;q=1"}, om1Type},
		{"a malformed parameter", []string{"application/openmetrics-text;version"}, textType},
		{"only commas", []string{",,,"}, textType},
		{"control characters", []string{"\x00\xff"}, textType},

		{"Prometheus that prefers protobuf", []string{pb + ";q=0.6," + om + ";escaping=allow-utf-8;q=0.5," +
			"application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"}, pbType},
		{"Prometheus that wants only protobuf", []string{pb + ";q=0.6,*/*;q=0.5"}, pbType},
		{"protobuf less than text", []string{pb + ";q=0.4,text/plain;q=0.5"}, textType},
		{"protobuf excluded", []string{pb + ";q=0,*/*;q=0.1"}, textType},
		{"protobuf, upper case and quoted", []string{`Application/VND.google.protobuf;Proto="io.prometheus.client.MetricFamily";encoding="delimited"`}, pbType},
		{"protobuf without parameters", []string{"application/vnd.google.protobuf"}, textType},
		{"protobuf of something else", []string{"application/vnd.google.protobuf;proto=io.prometheus.client.Metric;encoding=delimited"}, textType},
		{"protobuf as text", []string{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text," + om + ";q=0.1"}, om1Type},
		{"protobuf without encoding", []string{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"}, textType},

		{"several headers", []string{"text/plain;q=0.3", om + ";q=0.9"}, om1Type},
		{"several headers, the first wins among equals", []string{"text/plain", om}, textType},
		{"an empty header first", []string{"", om}, om1Type},

		{"the 64th item counts", []string{strings.Repeat("*/*;q=0.1,", 63) + om}, om1Type},
		{"the 65th does not", []string{strings.Repeat("*/*;q=0.1,", 64) + om}, textType},
		{"the 65th of several headers does not", append(slices.Repeat([]string{"*/*;q=0.1"}, 64), om), textType},

		{"an unknown version does not hide a known one", []string{"application/openmetrics-text;version=2.0.0," + om + ";q=0.1"}, om1Type},
		{"an escaping with control characters", []string{om + ";escaping=\"x\r\ny\""}, textType}, // not allowed in a parameter
		{"an unknown escaping", []string{om + ";escaping=rot13"}, om1Type},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := negotiate(test.accept...)
			if got.ContentType != test.want || got.Format != formatOf[test.want] {
				t.Errorf("Accept: %q\n got %d %s\nwant %s", test.accept, got.Format, got.ContentType, test.want)
			}
		})
	}
}

func TestNegotiateEchoesEscaping(t *testing.T) {
	for _, scheme := range []string{"allow-utf-8", "underscores", "dots", "values"} {
		for accept, typ := range map[string]string{om: om1Type, pb: pbType} {
			want := strings.TrimSuffix(typ, "underscores") + scheme
			if got := negotiate(accept + ";escaping=" + scheme); got.ContentType != want {
				t.Errorf("got %s, want %s", got.ContentType, want)
			}
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"", "*/*", om, om + ";q=0.5,text/plain;q=0", pb, `text/plain;a=",";q=0.1`, ",;=/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := negotiate(accept)
		base, _, _ := strings.Cut(got.ContentType, "; escaping=")
		for typ, format := range formatOf {
			if strings.HasPrefix(typ, base) && got.Format == format {
				return
			}
		}
		t.Errorf("Accept: %q: format %d as %s", accept, got.Format, got.ContentType)
	})
}

func TestTrailer(t *testing.T) {
	for format, want := range map[Format]string{Text: "", OpenMetrics: "# EOF\n", OpenMetrics001: "# EOF\n", Protobuf: ""} {
		if got := format.Trailer(); got != want {
			t.Errorf("format %d ends with %q, want %q", format, got, want)
		}
	}
}
