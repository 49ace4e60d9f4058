package agentconf

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/strictyaml"
)

// shortForm is a short form of a sink. What it begins with tells the type, the key
// that the rest is for, what precedes the rest there, and the protocol.
type shortForm struct {
	begins, rest               string // rest is for help
	doc                        string
	typ, key, prefix, protocol string
}

// shortForms returns all; where several begin alike the last holds.
func shortForms() []shortForm {
	grpc := string(protocolGRPC)
	return []shortForm{
		{"stdout", "", "lines of JSON", "stdout", "", "", ""},
		{"file:", "PATH", "lines of JSON", "file", "path", "", ""},
		{"file://", "/PATH", "lines of JSON", "file", "path", "", ""},
		{"udp:", "//HOST:PORT", "DogStatsD", "dogstatsd", "address", "udp:", ""},
		{"unix:", "///PATH", "DogStatsD over a socket of datagrams", "dogstatsd", "address", "unix:", ""},
		{"unixstream:", "///PATH", "DogStatsD over a socket with a stream", "dogstatsd", "address", "unixstream:", ""},
		{"datadog+https:", "//HOST?keyFile=PATH", "the intake of Datadog", "datadog", "url", "https:", ""},
		{"datadog+http:", "//HOST:PORT?keyFile=PATH", "the same without TLS, for a proxy", "datadog", "url", "http:", ""},
		{"otlp+http:", "//HOST:PORT", "OTLP", "otlp", "url", "http:", ""},
		{"otlp+https:", "//HOST:PORT", "OTLP with TLS", "otlp", "url", "https:", ""},
		{"otlp+grpc:", "//HOST:PORT", "OTLP over gRPC", "otlp", "url", "http:", grpc},
		{"otlp+grpcs:", "//HOST:PORT", "OTLP over gRPC with TLS", "otlp", "url", "https:", grpc},
		{"remotewrite+http:", "//HOST:PORT/PATH", "remote write", "remotewrite", "url", "http:", ""},
		{"remotewrite+https:", "//HOST:PORT/PATH", "remote write with TLS", "remotewrite", "url", "https:", ""},
	}
}

// SinkForms says how sinks can be told in short, for errors.
func SinkForms() string {
	var all []string
	for _, form := range shortForms() {
		all = append(all, form.begins+form.rest)
	}
	return strings.Join(all, ", ")
}

// SinkHelp says in lines how sinks can be told in short, and what each is.
func SinkHelp() string {
	var lines []string
	for _, form := range shortForms() {
		lines = append(lines, fmt.Sprintf("  %-39s %s", form.begins+form.rest, form.doc))
	}
	return strings.Join(lines, "\n")
}

// SinkBeginnings are how the short forms of sinks begin.
func SinkBeginnings() []string {
	var all []string
	for _, form := range shortForms() {
		all = append(all, form.begins)
	}
	return all
}

// ParseSink reads the short form of a sink (see SinkForms). Further settings of the
// sink, as in a configuration file, may follow as the query of a URL:
//
//	datadog+https://api.datadoghq.eu?keyFile=/etc/datadog/key&maxSeries=5000
func ParseSink(text string) (Sink, error) {
	address, query, _ := strings.Cut(text, "?")
	var pairs [][2]string
	for _, form := range shortForms() {
		rest, ok := strings.CutPrefix(address, form.begins)
		if !ok || form.rest == "" && rest != "" {
			continue
		}
		pairs = [][2]string{{"type", form.typ}}
		if form.key != "" {
			pairs = append(pairs, [2]string{form.key, form.prefix + rest})
		}
		if form.protocol != "" {
			pairs = append(pairs, [2]string{"protocol", form.protocol})
		}
	}
	name := fmt.Sprintf("%q", address)
	if u, err := url.Parse(address); err != nil || u.User != nil {
		name = "the value" // which may hold a password
	}
	if pairs == nil {
		return Sink{}, fmt.Errorf("%s is no sink, want one of: %s", name, SinkForms())
	}
	further, err := parseQuery(query)
	if err != nil {
		return Sink{}, fmt.Errorf("%s: the settings behind the question mark: %w", name, err)
	}
	var s Sink
	f := strictyaml.FromPairs(name, append(pairs, further...), &s, options())
	if s.settings != nil {
		s.checkAt(f, "")
	}
	return s, f.Err()
}

func parseQuery(query string) ([][2]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	var pairs [][2]string
	for key := range values {
		for _, value := range values[key] {
			pairs = append(pairs, [2]string{key, value})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return pairs, nil
}
