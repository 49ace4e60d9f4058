package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// sample is one line of the text format.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

// parseSample reads one line; a timestamp is not allowed, as kubestate sends none.
func parseSample(line []byte) (sample, error) {
	end := bytes.IndexAny(line, "{ ")
	if end <= 0 {
		return sample{}, fmt.Errorf("line %.100q: want a name and a value", line)
	}
	s, rest := sample{name: string(line[:end])}, string(line[end:])
	if strings.Trim(s.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") != "" {
		return s, fmt.Errorf("line %.100q: %q is no name of a metric", line, s.name)
	}
	var err error
	if rest[0] == '{' {
		if s.labels, rest, err = parseLabels(rest[1:]); err != nil {
			return s, fmt.Errorf("line %.100q: %w", line, err)
		}
	}
	value, found := strings.CutPrefix(rest, " ")
	if !found {
		return s, fmt.Errorf("line %.100q: want a space before the value", line)
	}
	if s.value, err = parseNumber(value); err != nil {
		return s, fmt.Errorf("line %.100q: %w", line, err)
	}
	return s, nil
}

// parseLabels reads labels up to the closing brace and returns what follows it.
func parseLabels(text string) (map[string]string, string, error) {
	labels := map[string]string{}
	for !strings.HasPrefix(text, "}") {
		name, rest, found := strings.Cut(text, `="`)
		if _, twice := labels[name]; !found || name == "" || twice {
			return nil, "", fmt.Errorf("label at %.40q: want a name that is not there yet and a value in quotes", text)
		}
		value, rest, err := unquote(rest)
		if err != nil {
			return nil, "", err
		}
		labels[name] = value
		if text, found = strings.CutPrefix(rest, ","); !found && !strings.HasPrefix(rest, "}") {
			return nil, "", fmt.Errorf("after label %s: %.40q: want a comma or a brace", name, rest)
		}
	}
	return labels, text[1:], nil
}

// unquote reads a label value up to the closing quote and returns what follows it.
func unquote(text string) (value, rest string, err error) {
	end := strings.IndexAny(text, `"\`)
	if end >= 0 && text[end] == '"' {
		return text[:end], text[end+1:], nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:], nil
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`n\"`, text[i+1]) >= 0:
			i++
			if c = text[i]; c == 'n' {
				c = '\n'
			}
			b.WriteByte(c)
		case c == '\\':
			return "", "", fmt.Errorf("label value %.40q: no such escape", text[i:])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf("label value %.40q does not end", text)
}

// families counts the series of each family of a body; families without series
// count 0.
type families map[string]int

// readText parses a body in a text format and checks it: every line parses, and each
// family occurs once, with its header before its samples.
func readText(r io.Reader, openMetrics bool) (families, error) {
	seen, current, ended := families{}, "", false
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), 4<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		if ended {
			return nil, fmt.Errorf("line %d comes after the end mark", n)
		}
		if name, isHeader := headerOf(line); isHeader {
			if _, known := seen[name]; known && name != current {
				return nil, fmt.Errorf("line %d: family %s comes a second time", n, name)
			}
			current = name
			seen[name] += 0
			continue
		}
		if openMetrics && string(line) == "# EOF" {
			ended = true
			continue
		}
		s, err := parseSample(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !belongs(s.name, current, openMetrics) {
			return nil, fmt.Errorf("line %d: %s comes among %q", n, s.name, current)
		}
		seen[current]++
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if openMetrics && !ended {
		return nil, errors.New("the end mark is missing")
	}
	return seen, nil
}

// belongs reports whether a sample is of a family. OpenMetrics appends a suffix for the
// type of the family.
func belongs(sample, family string, openMetrics bool) bool {
	suffix, found := strings.CutPrefix(sample, family)
	return found && (suffix == "" || openMetrics && (suffix == "_total" || suffix == "_info"))
}

// headerOf returns the family that a comment line is about.
func headerOf(line []byte) (name string, ok bool) {
	words := strings.SplitN(string(line[:min(len(line), 500)]), " ", 4)
	if len(words) < 4 || words[0] != "#" || words[1] != "HELP" && words[1] != "TYPE" && words[1] != "UNIT" {
		return "", false
	}
	return words[2], true
}

// readProtobuf reads a body of delimited io.prometheus.client.MetricFamily
// messages.
func readProtobuf(r io.Reader) (families, error) {
	seen, in := families{}, bufio.NewReaderSize(r, 64<<10)
	for {
		message, err := readDelimited(in)
		if err == io.EOF { //nolint:errorlint // only between messages it comes bare
			return seen, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d families: %w", len(seen), err)
		}
		name, metrics, err := readFamily(message)
		if err != nil {
			return nil, fmt.Errorf("family %d %q: %w", len(seen), name, err)
		}
		if _, twice := seen[name]; twice || name == "" {
			return nil, fmt.Errorf("family %q comes a second time, or has no name", name)
		}
		seen[name] = metrics
	}
}

// maxMessage bounds one family of a body.
const maxMessage = 1 << 30

// readDelimited reads one length-delimited message.
func readDelimited(r *bufio.Reader) ([]byte, error) {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err // io.EOF between messages
	}
	if size > maxMessage {
		return nil, fmt.Errorf("a message of %d bytes, the limit is %d", size, maxMessage)
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, fmt.Errorf("a message of %d bytes: %w", size, err)
	}
	return message, nil
}

// readFamily counts the metrics (field 4) of a family and returns its name
// (field 1).
func readFamily(message []byte) (name string, metrics int, err error) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return name, metrics, protowire.ParseError(n)
		}
		message = message[n:]
		if number == 1 && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			name = string(value)
		}
		if number == 4 {
			metrics++
		}
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return name, metrics, protowire.ParseError(n)
		}
		message = message[n:]
	}
	return name, metrics, nil
}
