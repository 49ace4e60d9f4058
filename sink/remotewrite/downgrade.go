package remotewrite

import (
	"encoding/binary"
	"errors"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
)

// downgrade returns a request of version 2, as encoder writes it, as one of
// version 1: for what waits to be sent when the receiver turns out to know only
// that. Metadata and the starts of counters are left out.
func downgrade(request []byte) ([]byte, error) {
	var symbols []string
	var out, series []byte
	for tag, value := range fields(request) {
		var err error
		switch tag {
		case request2Symbol:
			symbols = append(symbols, string(value))
		case request2Series:
			if series, err = downgradeSeries(series[:0], value, symbols); err != nil {
				return nil, err
			}
			out = append(out, request1Series)
			out = appendVarint(out, uint64(len(series)))
			out = append(out, series...)
		}
	}
	return out, nil
}

func downgradeSeries(dst, series []byte, symbols []string) ([]byte, error) {
	for tag, value := range fields(series) {
		switch tag {
		case series2Refs:
			for len(value) > 0 {
				name, n := binary.Uvarint(value)
				text, m := binary.Uvarint(value[max(0, n):])
				if n <= 0 || m <= 0 || max(name, text) >= uint64(len(symbols)) {
					return nil, errors.New("labels refer to a symbol that is not there")
				}
				dst = appendLabel1(dst, symbols[name], symbols[text])
				value = value[n+m:]
			}
		case series2Sample:
			sample := append(make([]byte, 0, 32), series1Sample, 0)
			for tag, value := range fields(value) {
				if tag != sampleStart {
					sample = append(append(sample, tag), value...)
				}
			}
			sample[1] = byte(len(sample) - 2)
			dst = append(dst, sample...)
		}
	}
	return dst, nil
}

// fields yields the tag of each field of a message, which must take one byte, and
// its value: the bytes that a length precedes, without it, or all of others. It
// ends where the message is not well-formed.
func fields(message []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for len(message) > 0 {
			_, kind, n := protowire.ConsumeField(message)
			if n < 0 {
				return
			}
			value := message[1:n]
			if kind == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
			if !yield(message[0], value) {
				return
			}
			message = message[n:]
		}
	}
}
