package agentconf

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/strictyaml"
)

// shortForm is the beginning of the short form of a sink, with its type, the key
// that the rest is for, what precedes the rest there, and a protocol.
type shortForm struct{ begins, typ, key, prefix, protocol string }

// shortForms returns all; where several begin alike the last holds.
func shortForms() []shortForm {
	return []shortForm{
		{"file:", "file", "path", "", ""},
		{"file://", "file", "path", "", ""},
		{"udp:", "dogstatsd", "address", "udp:", ""},
		{"unix:", "dogstatsd", "address", "unix:", ""},
		{"unixstream:", "dogstatsd", "address", "unixstream:", ""},
		{"datadog+http:", "datadog", "url", "http:", ""},
		{"datadog+https:", "datadog", "url", "https:", ""},
		{"otlp+http:", "otlp", "url", "http:", ""},
		{"otlp+https:", "otlp", "url", "https:", ""},
		{"otlp+grpc:", "otlp", "url", "http:", string(protocolGRPC)},
		{"otlp+grpcs:", "otlp", "url", "https:", string(protocolGRPC)},
		{"remotewrite+http:", "remotewrite", "url", "http:", ""},
		{"remotewrite+https:", "remotewrite", "url", "https:", ""},
	}
}

// SinkForms is how sinks can be told in short, for help and errors.
const SinkForms = "stdout, file:PATH, udp://HOST:PORT, unix:///PATH and unixstream:///PATH (DogStatsD), " +
	"datadog+https://HOST, otlp+http://HOST:PORT, otlp+grpc://HOST:PORT (with TLS: otlp+https, otlp+grpcs), " +
	"remotewrite+http://HOST:PORT/PATH (with TLS: remotewrite+https)"

// ParseSink reads the short form of a sink (see SinkForms). Further settings of the
// sink, as in a configuration file, may follow as the query of a URL:
//
//	datadog+https://api.datadoghq.eu?keyFile=/etc/datadog/key&maxSeries=5000
func ParseSink(text string) (Sink, error) {
	address, query, _ := strings.Cut(text, "?")
	var pairs [][2]string
	if address == "stdout" {
		pairs = [][2]string{{"type", "stdout"}}
	}
	for _, form := range shortForms() {
		if rest, ok := strings.CutPrefix(address, form.begins); ok {
			pairs = [][2]string{{"type", form.typ}, {form.key, form.prefix + rest}}
			if form.protocol != "" {
				pairs = append(pairs, [2]string{"protocol", form.protocol})
			}
		}
	}
	name := fmt.Sprintf("%q", address)
	if u, err := url.Parse(address); err != nil || u.User != nil {
		name = "the value" // which may hold a password
	}
	if pairs == nil {
		return Sink{}, fmt.Errorf("%s is no sink, want %s", name, SinkForms)
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
