package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options say how to read. The zero value is strict.
type Options struct {
	// Values are the allowed values of types that are strings. The empty value is
	// that of a key that is not there.
	Values map[reflect.Type][]string
	// Optional are keys of structs that may be missing, whatever their tags say.
	Optional map[reflect.Type][]string
	// Explain returns what is to be said of an unknown key, by its path; "" and nil: no
	// more than that it is unknown.
	Explain func(path string) string
	// Lenient reads as programs do that decode YAML without looking closely: what
	// is written without quotes is text where text is wanted, and unknown keys are
	// no problem but in File.Unknown.
	Lenient bool
}

const (
	maxDepth  = 64      // of values within values; aliases can have any
	maxValues = 100_000 // in one file, aliases counted wherever they are used
)

// File is a file that was read: which line says what, and what is wrong with it.
type File struct {
	// Unknown names the keys that no field has, if the file was read leniently.
	Unknown []string

	name     string
	options  Options
	lines    map[string]int // by path, such as agent.sinks[0].type
	problems []problem
	unquoted bool // text is never in quotes
	values   int  // read so far
	full     bool // no more are read
}

type problem struct {
	line int // 0: none
	path string
	text string
}

// Read reads data, one YAML document or none, into what into points at, a struct.
// What is wrong is told by Err; the rest is read nevertheless, so that it can be
// checked further. name is that of the file, for errors.
func Read(name string, data []byte, into any, o Options) *File {
	f := &File{name: name, options: o, lines: map[string]int{}}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return f
	case err != nil:
		f.malformed(err)
		return f
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			f.malformed(err)
			return f
		}
		f.add(more.Line, "", errors.New("a second document begins; want one"))
	}
	if len(root.Content) == 1 {
		f.read(root.Content[0], into)
	}
	return f
}

// FromPairs reads keys and values, as if they were the mapping that key: value in
// lines of their own make; what is wanted as text needs no quotes. name is where
// they are from, for errors, which know no lines then.
func FromPairs(name string, pairs [][2]string, into any, o Options) *File {
	f := &File{name: name, options: o, lines: map[string]int{}, unquoted: true}
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range pairs {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: textTag, Value: p[0]}
		// Without a tag and quotes, the value is resolved as YAML does.
		root.Content = append(root.Content, key, &yaml.Node{Kind: yaml.ScalarNode, Value: p[1]})
	}
	f.read(root, into)
	return f
}

func (f *File) read(root *yaml.Node, into any) {
	Value{file: f, node: root}.Into(into)
}

// admits tells whether one more value may be read. Aliases can make a short file
// endless.
func (f *File) admits(v Value) bool {
	if f.full {
		return false
	}
	f.values++
	f.full = v.depth > maxDepth || f.values > maxValues
	if f.full {
		v.Wrong("values are nested deeper than %d, or there are more than %d of them", maxDepth, maxValues)
	}
	return !f.full
}

// Wrong adds a problem with what stands at a path: keys with dots between them,
// and [i] behind those of lists, as "agent.sinks[0].type". Where nothing stands
// there, what is around it counts.
func (f *File) Wrong(path, format string, args ...any) {
	f.add(f.line(path), path, fmt.Errorf(format, args...))
}

// WrongAll adds a problem for each line of an error.
func (f *File) WrongAll(path string, err error) {
	if err == nil {
		return
	}
	for text := range strings.SplitSeq(err.Error(), "\n") {
		f.Wrong(path, "%s", text)
	}
}

// Has tells whether something stands at a path.
func (f *File) Has(path string) bool {
	_, ok := f.lines[path]
	return ok
}

// Where returns file, line and path of what stands at a path, for messages.
func (f *File) Where(path string) string {
	if line := f.line(path); line != 0 {
		return fmt.Sprintf("%s:%d: %s", f.name, line, path)
	}
	return f.name + ": " + path
}

// Sound tells whether nothing is known to be wrong with what stands at a path.
func (f *File) Sound(path string) bool {
	return !slices.ContainsFunc(f.problems, func(p problem) bool {
		rest, below := strings.CutPrefix(p.path, path)
		return below && (path == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// line returns the line of a path or of the nearest thing around it; 0: none.
func (f *File) line(path string) int {
	for path != "" {
		if line, ok := f.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

func (f *File) add(line int, path string, err error) {
	text := err.Error()
	if path != "" {
		text = path + ": " + text
	}
	f.problems = append(f.problems, problem{line, path, text})
}

// malformed adds an error of the parser, which begins with the line.
func (f *File) malformed(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, what, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, what
		}
	}
	f.add(line, "", fmt.Errorf("malformed YAML: %s", text))
}

// Err returns all problems, in the order of their lines; nil where there is none.
func (f *File) Err() error {
	slices.SortStableFunc(f.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, p := range f.problems {
		if p.line == 0 {
			errs = append(errs, fmt.Errorf("%s: %s", f.name, p.text))
		} else {
			errs = append(errs, fmt.Errorf("%s:%d: %s", f.name, p.line, p.text))
		}
	}
	return errors.Join(errs...)
}
