package datadog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// The messages as defined by the intake.
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

var payload = sinktest.Messages(messages, "MetricPayload")

// decode returns one line per series of a payload:
//
//	metric{tag,tag} type value unit @seconds host=name
func decode(t testing.TB, encoded []byte) []string {
	t.Helper()
	var lines []string
	for _, value := range sinktest.List(payload(t, encoded), "series") {
		s := value.Message()
		var tags []string
		for _, tag := range sinktest.List(s, "tags") {
			tags = append(tags, tag.String())
		}
		line := fmt.Sprintf("%s{%s} %d", sinktest.Field(s, "metric"), strings.Join(tags, ","), sinktest.Field(s, "type").Int())
		for _, p := range sinktest.List(s, "points") {
			line += fmt.Sprintf(" %v %s @%d",
				sinktest.Field(p.Message(), "value").Float(), sinktest.Field(s, "unit"), sinktest.Field(p.Message(), "timestamp").Int())
		}
		for _, r := range sinktest.List(s, "resources") {
			line += fmt.Sprintf(" %s=%s", sinktest.Field(r.Message(), "type"), sinktest.Field(r.Message(), "name"))
		}
		lines = append(lines, line)
	}
	return lines
}
