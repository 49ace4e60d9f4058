package otlp

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// The messages as the protocol has them, for the decoder of the protobuf library,
// which shares nothing with the code under test.
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

var requestMessage = sync.OnceValue(func() protoreflect.MessageDescriptor {
	var described descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(messages), &described); err != nil {
		panic(err)
	}
	file, err := protodesc.NewFile(&described, nil)
	if err != nil {
		panic(err)
	}
	return file.Messages().ByName("ExportMetricsServiceRequest")
})

// decode returns a line for each point of a request:
//
//	{resource} name type {attributes} value @nanoseconds unit=… help=…
func decode(t testing.TB, request []byte) []string {
	t.Helper()
	m := dynamicpb.NewMessage(requestMessage())
	if err := proto.Unmarshal(request, m); err != nil {
		t.Fatalf("decode: %v", err)
	}
	checkKnown(t, m)
	var lines []string
	for _, resource := range list(m, "resource_metrics") {
		attributes := attributeText(t, inner(resource.Message(), "resource"))
		for _, scope := range list(resource.Message(), "scope_metrics") {
			if name := field(inner(scope.Message(), "scope"), "name").String(); name != scopeText {
				t.Errorf("the scope is %q", name)
			}
			metrics := list(scope.Message(), "metrics")
			if len(metrics) == 0 {
				t.Error("a resource has no metrics")
			}
			seen := map[string]bool{}
			for _, metric := range metrics {
				name := field(metric.Message(), "name").String()
				if seen[name] {
					t.Errorf("the metric %s is there twice in one resource", name)
				}
				seen[name] = true
				lines = append(lines, metricLines(t, attributes+" ", metric.Message())...)
			}
		}
	}
	return lines
}

func metricLines(t testing.TB, resource string, m protoreflect.Message) []string {
	kind, data := "gauge", inner(m, "gauge")
	if m.Has(m.Descriptor().Fields().ByName("sum")) {
		data = inner(m, "sum")
		kind = fmt.Sprintf("sum(%d,%v)", field(data, "aggregation_temporality").Int(), field(data, "is_monotonic"))
	}
	points := list(data, "data_points")
	if len(points) == 0 {
		t.Errorf("%s has no points", field(m, "name"))
	}
	var lines []string
	for _, p := range points {
		p := p.Message()
		value := "none"
		if p.Has(p.Descriptor().Fields().ByName("as_double")) {
			value = fmt.Sprint(field(p, "as_double").Float())
		}
		line := fmt.Sprintf("%s%s %s %s %s @%d", resource, field(m, "name"), kind, attributeText(t, p), value, field(p, "time_unix_nano").Uint())
		if start := field(p, "start_time_unix_nano").Uint(); start != 0 {
			line += fmt.Sprint(" since ", start)
		}
		if flags := field(p, "flags").Uint(); flags != 0 {
			line += fmt.Sprint(" flags=", flags)
		}
		for _, text := range []protoreflect.Name{"unit", "description"} {
			if s := field(m, text).String(); s != "" {
				line += fmt.Sprintf(" %s=%s", text, s)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// attributeText is the attributes of a resource or a point as text. It checks that
// no key is there twice and none is empty.
func attributeText(t testing.TB, m protoreflect.Message) string {
	t.Helper()
	var text []string
	seen := map[string]bool{"": true}
	for _, a := range list(m, "attributes") {
		key := field(a.Message(), "key").String()
		if seen[key] {
			t.Errorf("the key %q is empty or there twice", key)
		}
		seen[key] = true
		value := inner(a.Message(), "value")
		if !value.Has(value.Descriptor().Fields().ByName("array_value")) {
			text = append(text, key+"="+field(value, "string_value").String())
			continue
		}
		var values []string
		for _, v := range list(inner(value, "array_value"), "values") {
			values = append(values, field(v.Message(), "string_value").String())
		}
		text = append(text, fmt.Sprintf("%s=%q", key, values))
	}
	return "{" + strings.Join(text, ",") + "}"
}

// checkKnown fails the test if m has fields that are not described.
func checkKnown(t testing.TB, m protoreflect.Message) {
	t.Helper()
	if len(m.GetUnknown()) > 0 {
		t.Errorf("%s has unknown fields: %x", m.Descriptor().Name(), m.GetUnknown())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				checkKnown(t, v.List().Get(i).Message())
			}
		default:
			checkKnown(t, v.Message())
		}
		return true
	})
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(name))
}

func inner(m protoreflect.Message, name protoreflect.Name) protoreflect.Message {
	return field(m, name).Message()
}

func list(m protoreflect.Message, name protoreflect.Name) []protoreflect.Value {
	l := field(m, name).List()
	all := make([]protoreflect.Value, l.Len())
	for i := range all {
		all[i] = l.Get(i)
	}
	return all
}
