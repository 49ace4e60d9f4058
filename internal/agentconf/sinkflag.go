package agentconf

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// shortForm is a short form of a sink. Its prefix determines the type, the key whose value
// is the rest, the prefix of that value, and the protocol.
type shortForm struct {
	begins, rest               string // rest is for help
	doc                        string
	typ, key, prefix, protocol string
}

// shortForms returns all short forms; of several with the same prefix the last wins.
func shortForms() []shortForm {
	grpc := string(protocolGRPC)
	return []shortForm{
		{"stdout", "", "JSON lines", "stdout", "", "", ""},
		{"file:", "PATH", "JSON lines", "file", "path", "", ""},
		{"file://", "/PATH", "JSON lines", "file", "path", "", ""},
		{"udp:", "//HOST:PORT", "DogStatsD", "dogstatsd", "address", "udp:", ""},
		{"unix:", "///PATH", "DogStatsD over a datagram socket", "dogstatsd", "address", "unix:", ""},
		{"unixstream:", "///PATH", "DogStatsD over a stream socket", "dogstatsd", "address", "unixstream:", ""},
		{"datadog+https:", "//HOST?keyFile=PATH", "the Datadog intake", "datadog", "url", "https:", ""},
		{"datadog+http:", "//HOST:PORT?keyFile=PATH", "the same without TLS, for a proxy", "datadog", "url", "http:", ""},
		{"otlp+http:", "//HOST:PORT", "OTLP", "otlp", "url", "http:", ""},
		{"otlp+https:", "//HOST:PORT", "OTLP with TLS", "otlp", "url", "https:", ""},
		{"otlp+grpc:", "//HOST:PORT", "OTLP over gRPC", "otlp", "url", "http:", grpc},
		{"otlp+grpcs:", "//HOST:PORT", "OTLP over gRPC with TLS", "otlp", "url", "https:", grpc},
		{"remotewrite+http:", "//HOST:PORT/PATH", "remote write", "remotewrite", "url", "http:", ""},
		{"remotewrite+https:", "//HOST:PORT/PATH", "remote write with TLS", "remotewrite", "url", "https:", ""},
	}
}

// SinkForms lists the short forms of sinks, for errors.
func SinkForms() string {
	var all []string
	for _, form := range shortForms() {
		all = append(all, form.begins+form.rest)
	}
	return strings.Join(all, ", ")
}

// SinkHelp describes the short forms of sinks, one per line.
func SinkHelp() string {
	var lines []string
	for _, form := range shortForms() {
		lines = append(lines, fmt.Sprintf("  %-39s %s", form.begins+form.rest, form.doc))
	}
	return strings.Join(lines, "\n")
}

// SinkBeginnings returns the prefixes of the short forms of sinks.
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
	if pairs == nil {
		return Sink{}, problem.New("invalid sink "+shown(address), "must be one of: "+SinkForms())
	}
	further, err := parseQuery(query)
	if err != nil { // which quotes the query
		return Sink{}, problem.New("invalid sink "+shown(address), "must have settings behind the question mark as in a URL: key=value&key=value")
	}
	var s Sink
	f := strictyaml.FromPairs("", append(pairs, further...), &s, options())
	if s.settings != nil {
		s.checkAt(f, "")
	}
	var problems problem.List
	for _, p := range problem.Of(f.Err()) {
		if p.Source == "" { // otherwise it is about a file
			p.Source = "sink " + shown(address)
		}
		problems = append(problems, p)
	}
	return s, problems.Err()
}

// shown returns a quoted address, unless it may contain a password.
func shown(address string) string {
	if u, err := url.Parse(address); err != nil || u.User != nil || strings.Contains(address, "@") {
		return "(not shown)"
	}
	return problem.Quote(address)
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
