package manifest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// document is one value of a file: an object in JSON, or a list of them.
type document struct {
	line  int
	json  []byte // of a list: what it says about itself
	list  bool   // it has items
	items []document
}

// split returns the documents of a file. The error joins one lineError for each
// that is malformed.
func split(data []byte) ([]document, error) {
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		return splitJSON(data)
	}
	return splitYAML(data)
}

// splitJSON reads values one after another; behind a malformed one there is no
// way to tell where the next begins.
func splitJSON(data []byte) ([]document, error) {
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
		d, err := jsonDocument(raw, lines.at(dec.InputOffset()-int64(len(raw))))
		if err != nil {
			return documents, err
		}
		documents = append(documents, d)
	}
}

// jsonError places an error of the decoder: at its offset where it has one, else
// where the value begins or the file ends.
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

// lineCounter tells the lines of ascending offsets.
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

// jsonDocument finds out whether raw, which is valid JSON, is a list. A bare
// array counts as a List.
func jsonDocument(raw []byte, line int) (document, error) {
	d := document{line: line, json: raw}
	switch raw[0] {
	case '[':
		d.json, d.list = []byte(`{"kind":"List","apiVersion":"v1"}`), true
		var err error
		d.items, err = jsonItems(stdjson.NewDecoder(bytes.NewReader(raw)), raw, line)
		return d, err
	case '{':
		return jsonObject(d)
	default:
		return d, nil
	}
}

// jsonObject splits an object with an array of items into that array and the rest.
func jsonObject(d document) (document, error) {
	raw := d.json
	dec := stdjson.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return d, &lineError{d.line, err}
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return d, &lineError{d.line, err}
		}
		rest := bytes.TrimLeft(raw[dec.InputOffset():], ": \t\r\n")
		if name == "items" && len(rest) > 0 && rest[0] == '[' {
			d.list = true
			if d.items, err = jsonItems(dec, raw, d.line); err != nil {
				return d, err
			}
			continue
		}
		var skipped stdjson.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return d, &lineError{d.line, err}
		}
	}
	if d.list {
		d.json = headOf(raw)
	}
	return d, nil
}

// headOf returns what a list says about itself, without its items.
func headOf(raw []byte) []byte {
	var head struct {
		APIVersion stdjson.RawMessage `json:"apiVersion,omitempty"`
		Kind       stdjson.RawMessage `json:"kind,omitempty"`
	}
	if err := stdjson.Unmarshal(raw, &head); err != nil {
		return raw
	}
	if b, err := stdjson.Marshal(head); err == nil {
		return b
	}
	return raw
}

// jsonItems reads the array at which dec stands.
func jsonItems(dec *stdjson.Decoder, raw []byte, line int) ([]document, error) {
	lines := lineCounter{data: raw, line: line}
	if _, err := dec.Token(); err != nil {
		return nil, &lineError{line, err}
	}
	var items []document
	for dec.More() {
		var item stdjson.RawMessage
		if err := dec.Decode(&item); err != nil {
			return nil, &lineError{lines.line, err}
		}
		d, err := jsonDocument(item, lines.at(dec.InputOffset()-int64(len(item))))
		if err != nil {
			return nil, err
		}
		items = append(items, d)
	}
	_, err := dec.Token()
	return items, err
}

// splitYAML reads the documents between lines that begin with ---, each for
// itself, so that a malformed one does not hide the others.
func splitYAML(data []byte) ([]document, error) {
	var documents []document
	var errs []error
	line := 1 // of the document's first line
	for _, text := range yamlTexts(data) {
		d, ok, err := yamlDocument(text, line)
		if err != nil {
			errs = append(errs, err)
		} else if ok {
			documents = append(documents, d)
		}
		line += bytes.Count(text, []byte("\n"))
	}
	return documents, errors.Join(errs...)
}

// yamlTexts cuts a stream before each line that begins a document.
func yamlTexts(data []byte) [][]byte {
	var texts [][]byte
	start := 0
	for i := 0; i < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
			end = i + n + 1
		}
		if l := bytes.TrimRight(data[i:end], "\r\n"); i > start && bytes.HasPrefix(l, []byte("---")) && (len(l) == 3 || l[3] == ' ' || l[3] == '\t') {
			texts = append(texts, data[start:i])
			start = i
		}
		i = end
	}
	return append(texts, data[start:])
}

// yamlDocument reads the text of one document. It is not ok where there is
// nothing in it.
func yamlDocument(text []byte, line int) (d document, ok bool, err error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return d, false, yamlError(line, err)
	}
	if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
		return d, false, nil
	}
	d, err = nodeDocument(root.Content[0], line-1)
	return d, err == nil, err
}

// yamlError moves the line that the parser names from the document to the file.
func yamlError(first int, err error) error {
	text := err.Error()
	var n int
	if _, scanErr := fmt.Sscanf(text, "yaml: line %d:", &n); scanErr == nil {
		if i := bytes.IndexByte([]byte(text[len("yaml: line "):]), ':'); i >= 0 {
			text = "yaml" + text[len("yaml: line ")+i:]
		}
	}
	return &lineError{first + max(n-1, 0), fmt.Errorf("malformed YAML: %s", text)}
}

// nodeDocument turns a parsed value into JSON, the items of a list one by one.
// before is the number of lines in front of the document.
func nodeDocument(n *yaml.Node, before int) (document, error) {
	d := document{line: before + n.Line}
	if n.Kind == yaml.MappingNode {
		rest := *n
		rest.Content = nil
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "items" || n.Content[i+1].Kind != yaml.SequenceNode {
				rest.Content = append(rest.Content, n.Content[i], n.Content[i+1])
				continue
			}
			d.list = true
			for _, item := range n.Content[i+1].Content {
				e, err := nodeDocument(item, before)
				if err != nil {
					return d, err
				}
				d.items = append(d.items, e)
			}
		}
		n = &rest
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return d, &lineError{d.line, fmt.Errorf("malformed YAML: %w", err)}
	}
	var err error
	if d.json, err = stdjson.Marshal(v); err != nil {
		return d, &lineError{d.line, fmt.Errorf("malformed YAML: %w", err)}
	}
	return d, nil
}
