package remotewrite

import (
	"fmt"
	"math"
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

// The messages as the specifications have them, for the decoder of the protobuf
// library, which shares nothing with the code under test.
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
	request1 = sync.OnceValue(func() protoreflect.MessageDescriptor { return describe(messages1, "WriteRequest") })
	request2 = sync.OnceValue(func() protoreflect.MessageDescriptor { return describe(messages2, "Request") })
)

func describe(file string, name protoreflect.Name) protoreflect.MessageDescriptor {
	var described descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(file), &described); err != nil {
		panic(err)
	}
	descriptor, err := protodesc.NewFile(&described, nil)
	if err != nil {
		panic(err)
	}
	return descriptor.Messages().ByName(name)
}

func unmarshal(t testing.TB, descriptor protoreflect.MessageDescriptor, data []byte) protoreflect.Message {
	t.Helper()
	m := dynamicpb.NewMessage(descriptor)
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatalf("decode: %v", err)
	}
	checkKnown(t, m)
	return m
}

// checkKnown fails the test if m has fields that the specification lacks.
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

func list(m protoreflect.Message, name protoreflect.Name) []protoreflect.Value {
	l := field(m, name).List()
	all := make([]protoreflect.Value, l.Len())
	for i := range all {
		all[i] = l.Get(i)
	}
	return all
}

// decode returns the series of a request, one in a line, then the metadata of
// version 1.
func decode(t testing.TB, version Version, data []byte) []string {
	t.Helper()
	if version == V2 {
		return decode2(t, data)
	}
	var lines []string
	request := unmarshal(t, request1(), data)
	for _, series := range list(request, "timeseries") {
		var labels []string
		for _, l := range list(series.Message(), "labels") {
			labels = append(labels, field(l.Message(), "name").String(), field(l.Message(), "value").String())
		}
		lines = append(lines, line(t, labels, series.Message()))
	}
	for _, m := range list(request, "metadata") {
		m := m.Message()
		lines = append(lines, fmt.Sprintf("# %s type=%d help=%q unit=%q",
			field(m, "metric_family_name"), field(m, "type").Int(), field(m, "help"), field(m, "unit")))
	}
	return lines
}

func decode2(t testing.TB, data []byte) []string {
	t.Helper()
	request := unmarshal(t, request2(), data)
	symbols := list(request, "symbols")
	if len(symbols) == 0 || symbols[0].String() != "" {
		t.Fatalf("the first symbol is not empty: %v", symbols)
	}
	seen := map[string]bool{}
	for _, s := range symbols {
		if seen[s.String()] {
			t.Errorf("the symbol %q occurs twice", s)
		}
		seen[s.String()] = true
	}
	var lines []string
	for _, series := range list(request, "timeseries") {
		var labels []string
		for _, ref := range list(series.Message(), "labels_refs") {
			labels = append(labels, symbols[ref.Uint()].String())
		}
		m := field(series.Message(), "metadata").Message()
		lines = append(lines, fmt.Sprintf("%s type=%d help=%q unit=%q", line(t, labels, series.Message()), field(m, "type").Int(),
			symbols[field(m, "help_ref").Uint()], symbols[field(m, "unit_ref").Uint()]))
	}
	return lines
}

// line is a series as text: labels, value, time and start. It checks what both
// versions demand of labels.
func line(t testing.TB, labels []string, series protoreflect.Message) string {
	t.Helper()
	var text []string
	for i := 0; i < len(labels); i += 2 {
		if i > 0 && labels[i] <= labels[i-2] {
			t.Errorf("the label %q follows %q", labels[i], labels[i-2])
		}
		if labels[i] == "" || labels[i+1] == "" {
			t.Errorf("the label %q=%q is empty", labels[i], labels[i+1])
		}
		text = append(text, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	samples := list(series, "samples")
	if len(samples) != 1 {
		t.Fatalf("%v has %d samples, not 1", text, len(samples))
	}
	sample := samples[0].Message()
	value := fmt.Sprint(field(sample, "value").Float())
	if math.Float64bits(field(sample, "value").Float()) == 0x7ff0000000000002 {
		value = "stale"
	}
	result := fmt.Sprintf("{%s} %s @%d", strings.Join(text, ", "), value, field(sample, "timestamp").Int())
	if start := sample.Descriptor().Fields().ByName("start_timestamp"); start != nil && sample.Has(start) {
		result += fmt.Sprintf(" since %d", sample.Get(start).Int())
	}
	return result
}
