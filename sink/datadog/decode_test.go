package datadog

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

// The messages as the intake has them, for the decoder of the protobuf library,
// which shares nothing with the code under test.
const messages = `name: "1" package: "datadog.agentpayload" syntax: "proto3"
message_type { name: "MetricPayload"
  field { name: "series" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".datadog.agentpayload.MetricSeries" } }
message_type { name: "MetricSeries"
  field { name: "resources" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".datadog.agentpayload.Resource" }
  field { name: "metric" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "tags" number: 3 label: LABEL_REPEATED type: TYPE_STRING }
  field { name: "points" number: 4 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".datadog.agentpayload.MetricPoint" }
  field { name: "type" number: 5 label: LABEL_OPTIONAL type: TYPE_INT32 }
  field { name: "unit" number: 6 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "Resource"
  field { name: "type" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "name" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "MetricPoint"
  field { name: "value" number: 1 label: LABEL_OPTIONAL type: TYPE_DOUBLE }
  field { name: "timestamp" number: 2 label: LABEL_OPTIONAL type: TYPE_INT64 } }`

var payloadMessage = sync.OnceValue(func() protoreflect.MessageDescriptor {
	var described descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(messages), &described); err != nil {
		panic(err)
	}
	file, err := protodesc.NewFile(&described, nil)
	if err != nil {
		panic(err)
	}
	return file.Messages().ByName("MetricPayload")
})

// decode returns a line for each series of a payload:
//
//	metric{tag,tag} type value unit @seconds host=name
func decode(t testing.TB, payload []byte) []string {
	t.Helper()
	m := dynamicpb.NewMessage(payloadMessage())
	if err := proto.Unmarshal(payload, m); err != nil {
		t.Fatalf("decode: %v", err)
	}
	var lines []string
	for _, value := range list(m, "series") {
		s := value.Message()
		if len(s.GetUnknown()) > 0 {
			t.Errorf("a series has unknown fields: %x", s.GetUnknown())
		}
		var tags []string
		for _, tag := range list(s, "tags") {
			tags = append(tags, tag.String())
		}
		line := fmt.Sprintf("%s{%s} %d", field(s, "metric"), strings.Join(tags, ","), field(s, "type").Int())
		for _, p := range list(s, "points") {
			line += fmt.Sprintf(" %v %s @%d", field(p.Message(), "value").Float(), field(s, "unit"), field(p.Message(), "timestamp").Int())
		}
		for _, r := range list(s, "resources") {
			line += fmt.Sprintf(" %s=%s", field(r.Message(), "type"), field(r.Message(), "name"))
		}
		lines = append(lines, line)
	}
	return lines
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
