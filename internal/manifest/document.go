package manifest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/internal/problem"
)

// Bounds of input. API objects are far below them: etcd accepts 1.5 MiB.
const (
	maxDepth = 512 // of lists and maps in a document
	maxLists = 16  // of lists of objects in lists of objects
)

// document is one value of a file: an object as JSON, or a list of objects.
type document struct {
	place
	json  []byte // for a list: its apiVersion and kind
	list  bool   // it has items
	items []document
}

// split returns the documents of a file. The error joins one lineError for each
// malformed document.
func (r *Reader) split(data []byte) ([]document, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &lineError{1, errors.New("encoded as UTF-16: must be UTF-8")}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) == 0 || first[0] != '{' && first[0] != '[' {
		return r.splitYAML(data)
	}
	documents, err := splitJSON(data)
	if syntax, ok := errors.AsType[*stdjson.SyntaxError](err); ok && len(documents) == 0 && syntax != nil {
		// {kind: Pod} is YAML that begins as JSON does.
		if documents, yamlErr := r.splitYAML(data); yamlErr == nil {
			return documents, nil
		}
	}
	return documents, err
}

// splitJSON reads a sequence of values. It stops at a malformed one, since nothing
// marks the start of the next.
func splitJSON(data []byte) ([]document, error) {
	if line := tooDeep(data); line > 0 {
		return nil, depthError(line)
	}
	var documents []document
	lines := lineCounter{data: data, line: 1}
	dec := stdjson.NewDecoder(bytes.NewReader(data))
	for {
		start := dec.InputOffset()
		var raw stdjson.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return documents, jsonError(data, start, err)
		}
		if string(raw) == "null" {
			continue
		}
		d, err := splitList(raw, inJSON(raw, lines.at(dec.InputOffset()-int64(len(raw)))), 0)
		if err != nil {
			return documents, err
		}
		documents = append(documents, d)
	}
}

// jsonError adds the line to a decoder error: at its offset if it has one, otherwise
// where the value starts or the file ends.
func jsonError(data []byte, start int64, err error) error {
	at := start
	var syntax *stdjson.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.Is(err, io.ErrUnexpectedEOF):
		at = int64(len(data))
	}
	lines := lineCounter{data: data, line: 1}
	return &lineError{lines.at(min(at, int64(len(data)))), fmt.Errorf("malformed JSON: %w", err)}
}

// tooDeep returns the line on which JSON nests deeper than maxDepth; 0: nowhere.
func tooDeep(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth++; depth > maxDepth {
				return 1 + bytes.Count(data[:i], []byte("\n"))
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		}
	}
	return 0
}

func depthError(line int) error {
	return &lineError{line, fmt.Errorf("lists and maps are nested more than %d deep", maxDepth)}
}

// lineCounter returns the lines of ascending offsets.
type lineCounter struct {
	data []byte
	line int
	done int64
}

func (l *lineCounter) at(offset int64) int {
	l.line += bytes.Count(l.data[l.done:offset], []byte("\n"))
	l.done = offset
	return l.line
}

// splitList splits raw, valid JSON, into objects if it is a list. A bare array
// counts as a List. lists is the number of lists that raw is in.
func splitList(raw []byte, at place, lists int) (document, error) {
	d := document{place: at, json: raw}
	var items []byte
	var path []string
	switch raw[0] {
	case '[':
		items, d.json = raw, []byte(`{"kind":"List","apiVersion":"v1"}`)
	case '{':
		var head struct {
			APIVersion stdjson.RawMessage `json:"apiVersion,omitempty"`
			Kind       stdjson.RawMessage `json:"kind,omitempty"`
		}
		members(raw, func(key string, value []byte) bool {
			switch {
			case key == "apiVersion":
				head.APIVersion = value
			case key == "kind":
				head.Kind = value
			case key == "items" && value[0] == '[':
				items, path = value, []string{"items"}
			case key == "items" && string(value) == "null":
				items = []byte("[]") // as some clients write an empty list
			}
			return true
		})
		if items != nil {
			d.json, _ = stdjson.Marshal(head) // valid JSON stays so
		}
	}
	if items == nil {
		return d, nil
	}
	if lists == maxLists {
		return d, &lineError{at.line(), fmt.Errorf("lists of objects are nested more than %d deep", maxLists)}
	}
	d.list = true
	var err error
	lines := lineCounter{data: raw, line: at.source.line}
	members(items, func(index string, item []byte) bool {
		below := place{source: at.source, path: slices.Concat(at.path, path, []string{index})}
		if at.json {
			below = inJSON(item, lines.at(int64(cap(raw)-cap(item)))) // item is a slice of raw
		}
		var e document
		e, err = splitList(item, below, lists+1)
		d.items = append(d.items, e)
		return err == nil
	})
	return d, err
}

// members calls f with the keys or indexes, and the values, of an object or array in
// valid JSON, in their order, until f returns false. The values are slices of raw.
func members(raw []byte, f func(key string, value []byte) bool) {
	dec := stdjson.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return
	}
	for i := 0; dec.More(); i++ {
		key := strconv.Itoa(i)
		if raw[0] == '{' {
			name, err := dec.Token()
			if err != nil {
				return
			}
			key, _ = name.(string)
		}
		var value stdjson.RawMessage
		if err := dec.Decode(&value); err != nil {
			return
		}
		end := dec.InputOffset()
		if !f(key, raw[end-int64(len(value)):end]) {
			return
		}
	}
}

// splitYAML reads the documents one by one, so that a malformed one does not hide
// the others.
func (r *Reader) splitYAML(data []byte) ([]document, error) {
	var documents []document
	var errs []error
	line := 1 // of the document's first line
	for _, text := range yamlTexts(data) {
		d, ok, err := r.yamlDocument(text, line)
		if err != nil {
			errs = append(errs, err)
		} else if ok {
			documents = append(documents, d)
		}
		line += bytes.Count(text, []byte("\n"))
	}
	return documents, errors.Join(errs...)
}

// yamlTexts cuts a stream before each line --- and after each line ... .
func yamlTexts(data []byte) [][]byte {
	var texts [][]byte
	start := 0
	for i := 0; i < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
			end = i + n + 1
		}
		line := bytes.TrimRight(data[i:end], " \t\r\n")
		switch {
		case i > start && (string(line) == "---" || bytes.HasPrefix(line, []byte("--- ")) || bytes.HasPrefix(line, []byte("---\t"))):
			texts = append(texts, data[start:i])
			start = i
		case string(line) == "...":
			texts = append(texts, data[start:end])
			start = end
		}
		i = end
	}
	return append(texts, data[start:])
}

// yamlDocument converts one document to JSON as kubectl does. It is not ok if it is
// empty or null.
func (r *Reader) yamlDocument(text []byte, line int) (d document, ok bool, err error) {
	if int64(len(text)) > r.MaxDocument {
		return d, false, &lineError{line, fmt.Errorf("YAML document of %d bytes: must be at most %d; JSON may be larger", len(text), r.MaxDocument)}
	}
	at := inYAML(text, line)
	if err := at.check(r.MaxDocument); err != nil {
		return d, false, err
	}
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		return d, false, yamlError(at, err)
	}
	if data = bytes.TrimSpace(data); string(data) == "null" {
		return d, false, nil
	}
	if tooDeep(data) > 0 {
		return d, false, depthError(line)
	}
	d, err = splitList(data, at, 0)
	return d, err == nil, err
}

// yamlError returns an error of the conversion to JSON with a line of the file instead
// of the document, and without terms of Go. A syntax error is that of yaml.v3, because
// lines of the older parser in sigs.k8s.io/yaml are off by one.
func yamlError(at place, err error) error {
	if at.source.node(); at.source.err != nil {
		err = at.source.err
	}
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "yaml: ")
	line := at.source.line
	var n int
	if _, scanErr := fmt.Sscanf(text, "line %d:", &n); scanErr == nil {
		line = at.source.fileLine(n)
		_, text, _ = strings.Cut(text, ": ")
	}
	switch {
	case strings.HasPrefix(text, "unsupported map key"), strings.HasPrefix(text, "invalid map key"):
		line, text = at.badKey(), "keys of maps must be strings, numbers or booleans"
	case strings.HasPrefix(text, "json: unsupported value"):
		text = "numbers must be finite"
	}
	return &lineError{line, fmt.Errorf("malformed YAML: %s", strings.ToValidUTF8(problem.Cut(text), "\ufffd"))}
}
