package otlp

import (
	"math"
	"time"

	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// partialSuccess is the content of an ExportMetricsServiceResponse.
type partialSuccess struct {
	rejected int // data points
	message  string
}

// status is the content of a google.rpc.Status.
type status struct {
	message    string
	retry      bool          // the receiver allows a retry
	retryAfter time.Duration // minimum delay of the retry
}

// readSuccess decodes an ExportMetricsServiceResponse. Malformed parts are ignored, as
// if everything was accepted.
func readSuccess(response []byte) partialSuccess {
	var success partialSuccess
	for tag, value := range protobuf.Fields(response) {
		if tag != 1<<3|protobuf.Sized { // partial_success
			continue
		}
		for tag, value := range protobuf.Fields(value) {
			switch tag {
			case 1 << 3:
				success.rejected = int(max(0, min(int64(protobuf.Number(value)), math.MaxInt32)))
			case 2<<3 | protobuf.Sized:
				success.message = string(value)
			}
		}
	}
	return success
}

// readStatus decodes a google.rpc.Status and the google.rpc.RetryInfo in it.
func readStatus(encoded []byte) status {
	var s status
	for tag, value := range protobuf.Fields(encoded) {
		switch tag {
		case 2<<3 | protobuf.Sized:
			s.message = string(value)
		case 3<<3 | protobuf.Sized:
			if delay, ok := readRetryInfo(value); ok {
				s.retry, s.retryAfter = true, delay
			}
		}
	}
	return s
}

// readRetryInfo decodes a google.protobuf.Any with a RetryInfo.
func readRetryInfo(encoded []byte) (delay time.Duration, ok bool) {
	var info []byte
	for tag, value := range protobuf.Fields(encoded) {
		switch tag {
		case 1<<3 | protobuf.Sized:
			ok = string(value) == "type.googleapis.com/google.rpc.RetryInfo"
		case 2<<3 | protobuf.Sized:
			info = value
		}
	}
	var seconds, nanos uint64
	for tag, value := range protobuf.Fields(info) {
		if tag != 1<<3|protobuf.Sized { // retry_delay, a google.protobuf.Duration
			continue
		}
		for tag, value := range protobuf.Fields(value) {
			switch tag {
			case 1 << 3:
				seconds = min(protobuf.Number(value), math.MaxInt32)
			case 2 << 3:
				nanos = min(protobuf.Number(value), uint64(time.Second))
			}
		}
	}
	return time.Duration(seconds)*time.Second + time.Duration(nanos), ok
}
