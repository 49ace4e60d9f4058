package remotewrite

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// downgrade converts a request of version 2, as encoder writes it, to version 1: for
// requests in the buffer when the receiver turns out to accept only that. Metadata and
// starts of counters are dropped.
func downgrade(request []byte) ([]byte, error) {
	var symbols []string
	var out, series []byte
	for tag, value := range protobuf.Fields(request) {
		var err error
		switch tag {
		case request2Symbol:
			symbols = append(symbols, string(value))
		case request2Series:
			if series, err = downgradeSeries(series[:0], value, symbols); err != nil {
				return nil, err
			}
			out = protowire.AppendBytes(append(out, request1Series), series)
		}
	}
	return out, nil
}

func downgradeSeries(dst, series []byte, symbols []string) ([]byte, error) {
	for tag, value := range protobuf.Fields(series) {
		switch tag {
		case series2Refs:
			for len(value) > 0 {
				name, n := binary.Uvarint(value)
				text, m := binary.Uvarint(value[max(0, n):])
				if n <= 0 || m <= 0 || max(name, text) >= uint64(len(symbols)) {
					return nil, errors.New("label refers to a missing symbol")
				}
				dst = appendLabel1(dst, symbols[name], symbols[text])
				value = value[n+m:]
			}
		case series2Sample:
			sample := append(make([]byte, 0, 32), series1Sample, 0)
			for tag, value := range protobuf.Fields(value) {
				if tag != sampleStart {
					sample = append(append(sample, byte(tag)), value...)
				}
			}
			sample[1] = byte(len(sample) - 2)
			dst = append(dst, sample...)
		}
	}
	return dst, nil
}
