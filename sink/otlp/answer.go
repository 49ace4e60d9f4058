package otlp

import (
	"iter"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// partialSuccess is what an ExportMetricsServiceResponse says.
type partialSuccess struct {
	rejected int // points
	message  string
}

// status is what a google.rpc.Status says.
type status struct {
	message    string
	retry      bool          // the receiver asks for another attempt
	retryAfter time.Duration // after that time
}

// readSuccess reads an ExportMetricsServiceResponse. What it cannot read is as if
// it were not there: that everything was taken.
func readSuccess(response []byte) partialSuccess {
	var success partialSuccess
	for number, field := range fields(response) {
		if number != 1 { // partial_success
			continue
		}
		for number, field := range fields(field.bytes) {
			switch number {
			case 1:
				success.rejected = int(max(0, min(int64(field.number), math.MaxInt32)))
			case 2:
				success.message = string(field.bytes)
			}
		}
	}
	return success
}

// readStatus reads a google.rpc.Status and the google.rpc.RetryInfo in it.
func readStatus(encoded []byte) status {
	var s status
	for number, field := range fields(encoded) {
		switch number {
		case 2:
			s.message = string(field.bytes)
		case 3:
			if delay, ok := readRetryInfo(field.bytes); ok {
				s.retry, s.retryAfter = true, delay
			}
		}
	}
	return s
}

// readRetryInfo reads a google.protobuf.Any that holds a RetryInfo.
func readRetryInfo(encoded []byte) (delay time.Duration, ok bool) {
	var value []byte
	for number, field := range fields(encoded) {
		switch number {
		case 1:
			ok = string(field.bytes) == "type.googleapis.com/google.rpc.RetryInfo"
		case 2:
			value = field.bytes
		}
	}
	for number, field := range fields(value) {
		if number != 1 { // retry_delay, a google.protobuf.Duration
			continue
		}
		for number, field := range fields(field.bytes) {
			switch number {
			case 1:
				delay += time.Duration(min(field.number, uint64(math.MaxInt32))) * time.Second
			case 2:
				delay += time.Duration(min(field.number, uint64(time.Second)))
			}
		}
	}
	return delay, ok
}

// value is that of a field: its bytes, or its number if it is a varint.
type value struct {
	bytes  []byte
	number uint64
}

// fields yields the numbers and values of the fields of a message. It ends where
// the message is not well-formed.
func fields(message []byte) iter.Seq2[protowire.Number, value] {
	return func(yield func(protowire.Number, value) bool) {
		for len(message) > 0 {
			number, kind, n := protowire.ConsumeField(message)
			if n < 0 {
				return
			}
			_, _, tag := protowire.ConsumeTag(message)
			var v value
			switch kind {
			case protowire.BytesType:
				v.bytes, _ = protowire.ConsumeBytes(message[tag:])
			case protowire.VarintType:
				v.number, _ = protowire.ConsumeVarint(message[tag:])
			default:
			}
			if !yield(number, v) {
				return
			}
			message = message[n:]
		}
	}
}
