package otlp

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// The messages as defined by the protocol.
const messages = `name: "1" package: "o" syntax: "proto3"
message_type { name: "ExportMetricsServiceRequest"
  field { name: "resource_metrics" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.ResourceMetrics" } }
message_type { name: "ResourceMetrics"
  field { name: "resource" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".o.Resource" }
  field { name: "scope_metrics" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.ScopeMetrics" } }
message_type { name: "Resource"
  field { name: "attributes" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.KeyValue" } }
message_type { name: "ScopeMetrics"
  field { name: "scope" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".o.InstrumentationScope" }
  field { name: "metrics" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.Metric" } }
message_type { name: "InstrumentationScope"
  field { name: "name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "version" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "Metric"
  field { name: "name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "description" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "unit" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "gauge" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".o.Gauge" }
  field { name: "sum" number: 7 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".o.Sum" } }
message_type { name: "Gauge"
  field { name: "data_points" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.NumberDataPoint" } }
message_type { name: "Sum"
  field { name: "data_points" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.NumberDataPoint" }
  field { name: "aggregation_temporality" number: 2 label: LABEL_OPTIONAL type: TYPE_INT32 }
  field { name: "is_monotonic" number: 3 label: LABEL_OPTIONAL type: TYPE_BOOL } }
message_type { name: "NumberDataPoint"
  field { name: "attributes" number: 7 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.KeyValue" }
  field { name: "start_time_unix_nano" number: 2 label: LABEL_OPTIONAL type: TYPE_FIXED64 }
  field { name: "time_unix_nano" number: 3 label: LABEL_OPTIONAL type: TYPE_FIXED64 }
  field { name: "as_double" number: 4 label: LABEL_OPTIONAL type: TYPE_DOUBLE oneof_index: 0 }
  field { name: "as_int" number: 6 label: LABEL_OPTIONAL type: TYPE_SFIXED64 oneof_index: 0 }
  field { name: "flags" number: 8 label: LABEL_OPTIONAL type: TYPE_UINT32 }
  oneof_decl { name: "value" } }
message_type { name: "KeyValue"
  field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".o.AnyValue" } }
message_type { name: "AnyValue"
  field { name: "string_value" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING oneof_index: 0 }
  field { name: "array_value" number: 5 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".o.ArrayValue" oneof_index: 0 }
  oneof_decl { name: "value" } }
message_type { name: "ArrayValue"
  field { name: "values" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".o.AnyValue" } }`

var exportRequest = sinktest.Messages(messages, "ExportMetricsServiceRequest")

// decode returns one line per data point of a request:
//
//	{resource} name type {attributes} value @nanoseconds unit=… help=…
func decode(t testing.TB, request []byte) []string {
	t.Helper()
	var lines []string
	for _, resource := range sinktest.List(exportRequest(t, request), "resource_metrics") {
		attributes := attributeText(t, sinktest.Inner(resource.Message(), "resource"))
		for _, scope := range sinktest.List(resource.Message(), "scope_metrics") {
			if name := sinktest.Field(sinktest.Inner(scope.Message(), "scope"), "name").String(); name != scopeText {
				t.Errorf("scope %q", name)
			}
			metrics := sinktest.List(scope.Message(), "metrics")
			if len(metrics) == 0 {
				t.Error("resource without metrics")
			}
			seen := map[string]bool{}
			for _, metric := range metrics {
				name := sinktest.Field(metric.Message(), "name").String()
				if seen[name] {
					t.Errorf("duplicate metric %s in a resource", name)
				}
				seen[name] = true
				lines = append(lines, metricLines(t, attributes+" ", metric.Message())...)
			}
		}
	}
	return lines
}

func metricLines(t testing.TB, resource string, m protoreflect.Message) []string {
	kind, data := "gauge", sinktest.Inner(m, "gauge")
	if sinktest.Has(m, "sum") {
		data = sinktest.Inner(m, "sum")
		kind = fmt.Sprintf("sum(%d,%v)", sinktest.Field(data, "aggregation_temporality").Int(), sinktest.Field(data, "is_monotonic"))
	}
	points := sinktest.List(data, "data_points")
	if len(points) == 0 {
		t.Errorf("%s without points", sinktest.Field(m, "name"))
	}
	var lines []string
	for _, p := range points {
		p := p.Message()
		value := "none"
		if sinktest.Has(p, "as_double") {
			value = fmt.Sprint(sinktest.Field(p, "as_double").Float())
		}
		line := fmt.Sprintf("%s%s %s %s %s @%d", resource, sinktest.Field(m, "name"), kind, attributeText(t, p), value, sinktest.Field(p, "time_unix_nano").Uint())
		if start := sinktest.Field(p, "start_time_unix_nano").Uint(); start != 0 {
			line += fmt.Sprint(" since ", start)
		}
		if flags := sinktest.Field(p, "flags").Uint(); flags != 0 {
			line += fmt.Sprint(" flags=", flags)
		}
		for _, text := range []protoreflect.Name{"unit", "description"} {
			if s := sinktest.Field(m, text).String(); s != "" {
				line += fmt.Sprintf(" %s=%s", text, s)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// attributeText returns the attributes of a resource or data point as text. It checks
// that keys are unique and not empty.
func attributeText(t testing.TB, m protoreflect.Message) string {
	t.Helper()
	var text []string
	seen := map[string]bool{"": true}
	for _, a := range sinktest.List(m, "attributes") {
		key := sinktest.Field(a.Message(), "key").String()
		if seen[key] {
			t.Errorf("empty or duplicate key %q", key)
		}
		seen[key] = true
		value := sinktest.Inner(a.Message(), "value")
		if !sinktest.Has(value, "array_value") {
			text = append(text, key+"="+sinktest.Field(value, "string_value").String())
			continue
		}
		var values []string
		for _, v := range sinktest.List(sinktest.Inner(value, "array_value"), "values") {
			values = append(values, sinktest.Field(v.Message(), "string_value").String())
		}
		text = append(text, fmt.Sprintf("%s=%q", key, values))
	}
	return "{" + strings.Join(text, ",") + "}"
}
