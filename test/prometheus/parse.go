package prometheus

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// ContentTypeText is the content type of the text format.
const ContentTypeText = "text/plain;version=0.0.4"

// sample is one line of a body as parsed by Prometheus.
type sample struct {
	labels labels.Labels // including the name
	value  float64
}

// same reports whether two samples are equal, down to the bits of the value.
func same(a, b sample) bool {
	return labels.Equal(a.labels, b.labels) && math.Float64bits(a.value) == math.Float64bits(b.value)
}

// parse parses a body with the parser for the content type.
func parse(body []byte, contentType string) ([]sample, error) {
	parser, err := textparse.New(body, contentType, nil, textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	var samples []sample
	typed := map[string]bool{}
	for {
		entry, err := parser.Next()
		switch {
		case errors.Is(err, io.EOF):
			return samples, nil
		case err != nil:
			return nil, err
		}
		switch entry {
		case textparse.EntryType:
			name, _ := parser.Type()
			if typed[string(name)] {
				return nil, fmt.Errorf("family %s has two TYPE lines", name)
			}
			typed[string(name)] = true
		case textparse.EntrySeries:
			var s sample
			var timestamp *int64
			_, timestamp, s.value = parser.Series()
			parser.Labels(&s.labels)
			if timestamp != nil {
				return nil, fmt.Errorf("series %s has a timestamp", s.labels)
			}
			if name, twice := s.labels.HasDuplicateLabelNames(); twice {
				return nil, fmt.Errorf("series %s has label %s twice", s.labels, name)
			}
			samples = append(samples, s)
		}
	}
}

// Series returns the series of a body, in the form and order of Server.Series.
func Series(body []byte, contentType string) ([]string, error) {
	samples, err := parse(body, contentType)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", contentType, err)
	}
	series := make([]string, len(samples))
	for i, s := range samples {
		// Prometheus treats an empty label as missing.
		series[i] = seriesText(s.labels.WithoutEmpty(), s.value)
	}
	slices.Sort(series)
	return series, nil
}

func seriesText(l labels.Labels, value float64) string { return fmt.Sprintf("%s %v", l, value) }
