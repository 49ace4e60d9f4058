package remotewrite

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// The messages as defined by the specifications.
const (
	messages1 = `name: "1" package: "prometheus" syntax: "proto3"
message_type { name: "WriteRequest"
  field { name: "timeseries" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".prometheus.TimeSeries" }
  field { name: "metadata" number: 3 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".prometheus.MetricMetadata" } }
message_type { name: "TimeSeries"
  field { name: "labels" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".prometheus.Label" }
  field { name: "samples" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".prometheus.Sample" } }
message_type { name: "Label"
  field { name: "name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "Sample"
  field { name: "value" number: 1 label: LABEL_OPTIONAL type: TYPE_DOUBLE }
  field { name: "timestamp" number: 2 label: LABEL_OPTIONAL type: TYPE_INT64 } }
message_type { name: "MetricMetadata"
  field { name: "type" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 }
  field { name: "metric_family_name" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "help" number: 4 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "unit" number: 5 label: LABEL_OPTIONAL type: TYPE_STRING } }`
	messages2 = `name: "2" package: "io.prometheus.write.v2" syntax: "proto3"
message_type { name: "Request"
  field { name: "symbols" number: 4 label: LABEL_REPEATED type: TYPE_STRING }
  field { name: "timeseries" number: 5 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".io.prometheus.write.v2.TimeSeries" } }
message_type { name: "TimeSeries"
  field { name: "labels_refs" number: 1 label: LABEL_REPEATED type: TYPE_UINT32 }
  field { name: "samples" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".io.prometheus.write.v2.Sample" }
  field { name: "metadata" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".io.prometheus.write.v2.Metadata" } }
message_type { name: "Sample"
  field { name: "value" number: 1 label: LABEL_OPTIONAL type: TYPE_DOUBLE }
  field { name: "timestamp" number: 2 label: LABEL_OPTIONAL type: TYPE_INT64 }
  field { name: "start_timestamp" number: 3 label: LABEL_OPTIONAL type: TYPE_INT64 } }
message_type { name: "Metadata"
  field { name: "type" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 }
  field { name: "help_ref" number: 3 label: LABEL_OPTIONAL type: TYPE_UINT32 }
  field { name: "unit_ref" number: 4 label: LABEL_OPTIONAL type: TYPE_UINT32 } }`
)

var (
	request1 = sinktest.Messages(messages1, "WriteRequest")
	request2 = sinktest.Messages(messages2, "Request")
)

// decode returns the series of a request, one per line, followed by the metadata of
// version 1.
func decode(t testing.TB, version Version, data []byte) []string {
	t.Helper()
	if version == V2 {
		return decode2(t, data)
	}
	var lines []string
	request := request1(t, data)
	for _, series := range sinktest.List(request, "timeseries") {
		var labels []string
		for _, l := range sinktest.List(series.Message(), "labels") {
			labels = append(labels, sinktest.Field(l.Message(), "name").String(), sinktest.Field(l.Message(), "value").String())
		}
		lines = append(lines, line(t, labels, series.Message()))
	}
	for _, m := range sinktest.List(request, "metadata") {
		m := m.Message()
		lines = append(lines, fmt.Sprintf("# %s type=%d help=%q unit=%q",
			sinktest.Field(m, "metric_family_name"), sinktest.Field(m, "type").Int(), sinktest.Field(m, "help"), sinktest.Field(m, "unit")))
	}
	return lines
}

func decode2(t testing.TB, data []byte) []string {
	t.Helper()
	request := request2(t, data)
	symbols := sinktest.List(request, "symbols")
	if len(symbols) == 0 || symbols[0].String() != "" {
		t.Fatalf("first symbol is not empty: %v", symbols)
	}
	seen := map[string]bool{}
	for _, s := range symbols {
		if seen[s.String()] {
			t.Errorf("duplicate symbol %q", s)
		}
		seen[s.String()] = true
	}
	var lines []string
	for _, series := range sinktest.List(request, "timeseries") {
		var labels []string
		for _, ref := range sinktest.List(series.Message(), "labels_refs") {
			labels = append(labels, symbols[ref.Uint()].String())
		}
		m := sinktest.Field(series.Message(), "metadata").Message()
		lines = append(lines, fmt.Sprintf("%s type=%d help=%q unit=%q", line(t, labels, series.Message()), sinktest.Field(m, "type").Int(),
			symbols[sinktest.Field(m, "help_ref").Uint()], symbols[sinktest.Field(m, "unit_ref").Uint()]))
	}
	return lines
}

// line returns a series as text: labels, value, time and start. It checks what both
// versions require of labels.
func line(t testing.TB, labels []string, series protoreflect.Message) string {
	t.Helper()
	var text []string
	for i := 0; i < len(labels); i += 2 {
		if i > 0 && labels[i] <= labels[i-2] {
			t.Errorf("label %q follows %q", labels[i], labels[i-2])
		}
		if labels[i] == "" || labels[i+1] == "" {
			t.Errorf("empty label %q=%q", labels[i], labels[i+1])
		}
		text = append(text, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	samples := sinktest.List(series, "samples")
	if len(samples) != 1 {
		t.Fatalf("%v has %d samples, want 1", text, len(samples))
	}
	sample := samples[0].Message()
	value := fmt.Sprint(sinktest.Field(sample, "value").Float())
	if math.Float64bits(sinktest.Field(sample, "value").Float()) == 0x7ff0000000000002 {
		value = "stale"
	}
	result := fmt.Sprintf("{%s} %s @%d", strings.Join(text, ", "), value, sinktest.Field(sample, "timestamp").Int())
	if sinktest.Has(sample, "start_timestamp") {
		result += fmt.Sprintf(" since %d", sinktest.Field(sample, "start_timestamp").Int())
	}
	return result
}
