package datadog

import (
	"encoding/json"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// checkRun is a service check in the JSON of the intake.
type checkRun struct {
	Check     string   `json:"check"`
	Host      string   `json:"host_name"`
	Timestamp int64    `json:"timestamp"` // since 1970
	Status    uint8    `json:"status"`
	Message   string   `json:"message"`
	Tags      []string `json:"tags"`
}

// appendCheck appends a service check as JSON. It allocates, since there are few.
func appendCheck(dst []byte, c *sink.Check, common []sink.Tag, t time.Time) []byte {
	run := checkRun{
		Check: c.Name, Host: c.Block.Host, Timestamp: t.Unix(), Status: uint8(min(c.Status, sink.Unknown)), Message: c.Message,
		Tags: []string{},
	}
	for _, tags := range [][]sink.Tag{common, c.Block.Tags, c.Block.Resource, c.Tags} {
		for _, tag := range tags {
			run.Tags = append(run.Tags, tag.Key+":"+tag.Value)
		}
	}
	encoded, _ := json.Marshal(run) // strings and numbers cannot fail
	return append(dst, encoded...)
}
