package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// source is the text of a document in the file.
type source struct {
	text   []byte
	line   int        // first line in the file, counted from 1
	parsed bool       // root is set
	root   *yaml.Node // nil: not parsed, or malformed
	err    error      // of parsing
}

// place is the position of a value: a document, and keys and indexes within it. Its
// line is computed when an error needs it.
type place struct {
	source *source
	path   []string
	json   bool // the text is JSON of only this value
}

func inYAML(text []byte, line int) place { return place{source: &source{text: text, line: line}} }

func inJSON(text []byte, line int) place {
	return place{source: &source{text: text, line: line}, json: true}
}

// line returns the line of the value at p, or of the nearest enclosing value.
func (p place) line(below ...string) int {
	n := p.source.node()
	if n == nil {
		return p.source.line
	}
	line := n.Line
	for _, key := range slices.Concat(p.path, below) {
		at, value := child(n, key)
		if value == nil {
			break
		}
		n, line = value, at
	}
	return p.source.fileLine(line)
}

// maxParsed bounds the documents that are parsed again to find a line.
const maxParsed = 64 << 20

func (s *source) node() *yaml.Node {
	if s.parsed || len(s.text) > maxParsed {
		return s.root
	}
	s.parsed = true
	var root yaml.Node
	if s.err = yaml.Unmarshal(s.text, &root); s.err == nil && len(root.Content) > 0 {
		s.root = root.Content[0]
	}
	return s.root
}

// fileLine returns the line of the file for a line that the YAML parser counted in s. The
// parser also counts other line breaks than \n.
func (s *source) fileLine(n int) int {
	line, rest := s.line, s.text
	for ; n > 1; n-- {
		i := bytes.IndexAny(rest, "\r\n\u0085\u2028\u2029")
		if i < 0 {
			break
		}
		_, size := utf8.DecodeRune(rest[i:])
		if bytes.HasPrefix(rest[i:], []byte("\r\n")) {
			size = 2
		}
		line += bytes.Count(rest[i:i+size], []byte("\n"))
		rest = rest[i+size:]
	}
	return line
}

// child returns the value below a key or index, and its line.
func child(n *yaml.Node, key string) (line int, value *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i].Line, n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i < len(n.Content) {
			return n.Content[i].Line, n.Content[i]
		}
	}
	return 0, nil
}

// badKey returns the line of the first key of a map that is null, a list or a map.
func (p place) badKey() int {
	var find func(n *yaml.Node) int
	find = func(n *yaml.Node) int {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && (c.Kind != yaml.ScalarNode && c.Kind != yaml.AliasNode || c.ShortTag() == "!!null") {
				return c.Line
			}
			if line := find(c); line > 0 {
				return line
			}
		}
		return 0
	}
	if n := p.source.node(); n != nil {
		if line := find(n); line > 0 {
			return p.source.fileLine(line)
		}
	}
	return p.source.line
}

// check rejects what the conversion of YAML to JSON cannot survive or misses: aliases
// that make a small text large, and text after a document.
func (p place) check(maxSize int64) error {
	text := p.source.text
	aliases := bytes.IndexByte(text, '&') >= 0 && bytes.IndexByte(text, '*') >= 0
	begin := bytes.TrimPrefix(text, []byte("---"))
	for begin = bytes.TrimLeft(begin, " \t\r\n"); len(begin) > 0 && begin[0] == '#'; begin = bytes.TrimLeft(begin, " \t\r\n") {
		_, begin, _ = bytes.Cut(begin, []byte("\n"))
	}
	flow := len(begin) > 0 && (begin[0] == '{' || begin[0] == '[')
	if !aliases && !flow {
		return nil
	}
	var root, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&root); err != nil {
		return nil // the conversion reports it
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return &lineError{p.source.line, errors.New("malformed YAML: text after the end of the document; separate documents by ---")}
	}
	e := expansion{sizes: map[*yaml.Node]int64{}}
	switch size := e.size(&root); {
	case e.cyclic:
		return &lineError{p.source.line, errors.New("malformed YAML: alias within the value of its own anchor")}
	case size > maxSize:
		return &lineError{p.source.line, fmt.Errorf("malformed YAML: aliases expand the document to more than %d bytes", maxSize)}
	}
	return nil
}

// expansion computes how large values are once their aliases are replaced.
type expansion struct {
	sizes  map[*yaml.Node]int64 // -1: being computed
	cyclic bool
}

const hugeSize = 1 << 50 // sums of more do not overflow

func (e *expansion) size(n *yaml.Node) int64 {
	if known, ok := e.sizes[n]; ok {
		e.cyclic = e.cyclic || known < 0
		return max(known, 0)
	}
	e.sizes[n] = -1
	sum := int64(len(n.Value)) + 4
	if n.Alias != nil {
		sum += e.size(n.Alias)
	}
	for _, c := range n.Content {
		sum = min(sum+e.size(c), hugeSize)
	}
	e.sizes[n] = sum
	return sum
}
