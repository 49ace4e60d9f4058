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

	"github.com/kubestate/kubestate/internal/problem"
)

// Options configure reading. The zero value is strict.
type Options struct {
	// Values are the allowed values of types that are strings. A missing key leaves the
	// type empty.
	Values map[reflect.Type][]string
	// Optional lists keys of structs that may be missing, regardless of their tags.
	Optional map[reflect.Type][]string
	// Lenient reads as most programs do: unquoted scalars are accepted as text, and
	// unknown keys are not problems but listed in File.Unknown.
	Lenient bool
}

const (
	maxDepth  = 64      // of values within values; aliases can have any
	maxValues = 100_000 // in one file, aliases counted wherever they are used
)

// File is the result of reading a file: lines by path, and problems.
type File struct {
	// Unknown lists the paths of unknown keys, if Lenient.
	Unknown []string

	name     string
	options  Options
	lines    map[string]int // by path, such as agent.sinks[0].type
	problems problem.List
	secrets  map[string]bool // paths of which nothing is quoted
	unquoted bool            // text is never in quotes
	values   int             // read so far
	full     bool            // no more are read
}

// Read reads data, at most one YAML document, into the struct that into points to. Err
// returns the problems; everything else is read nevertheless, for further checks. name
// is the name of the file in errors.
func Read(name string, data []byte, into any, o Options) *File {
	f := newFile(name, o)
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
		f.add(more.Line, problem.New("second document", "must be the only one"))
	}
	if len(root.Content) == 1 {
		f.read(root.Content[0], into)
	}
	return f
}

func newFile(name string, o Options) *File {
	return &File{name: name, options: o, lines: map[string]int{}, secrets: map[string]bool{}}
}

// FromPairs reads keys and values as if each pair was a line "key: value" of a mapping;
// text needs no quotes. name is the source of the pairs in errors, which have no lines.
func FromPairs(name string, pairs [][2]string, into any, o Options) *File {
	f := newFile(name, o)
	f.unquoted = true
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

// admits reports whether another value may be read, because aliases can expand a short
// file without limit.
func (f *File) admits(v Value) bool {
	if f.full {
		return false
	}
	f.values++
	f.full = v.depth > maxDepth || f.values > maxValues
	if f.full {
		v.Report(problem.New("too many values", fmt.Sprintf("must be at most %d, nested at most %d deep", maxValues, maxDepth)))
	}
	return !f.full
}

// Report adds problems with the value at a path: keys separated by dots, and [i] for
// elements of lists, as in "agent.sinks[0].type". A path without a value gets the line
// of the nearest enclosing value. Other errors are converted to a problem.Problem.
func (f *File) Report(path string, err error) {
	for _, p := range problem.Of(err) {
		if p.Source == "" { // else it is about another file
			at := problem.Join(path, p.Path)
			p.Source, p.Line, p.Path = f.name, f.line(at), at
		} else {
			p = problem.Problem{Source: f.name, Line: f.line(path), Path: path, What: p.Error()}
		}
		f.problems = append(f.problems, p)
	}
}

// Has reports whether there is a value at a path.
func (f *File) Has(path string) bool {
	_, ok := f.lines[path]
	return ok
}

// Where returns file, line and path of the value at a path, for messages.
func (f *File) Where(path string) string {
	return problem.Problem{Source: f.name, Line: f.line(path), Path: path}.Error()
}

// Sound reports whether the value at a path has no known problem.
func (f *File) Sound(path string) bool {
	return !slices.ContainsFunc(f.problems, func(p problem.Problem) bool {
		rest, below := strings.CutPrefix(p.Path, path)
		return below && (path == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// line returns the line of a path or of the nearest enclosing value; 0 if none.
func (f *File) line(path string) int {
	for path != "" {
		if line, ok := f.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// add adds a problem with a path at a line of the file.
func (f *File) add(line int, p problem.Problem) {
	p.Source, p.Line = f.name, line
	f.problems = append(f.problems, p)
}

// malformed adds a parser error, which starts with the line.
func (f *File) malformed(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, what, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, what
		}
	}
	f.add(line, problem.New("malformed YAML", problem.Cut(text)))
}

// Err returns all problems as a problem.List sorted by line, or nil.
func (f *File) Err() error {
	slices.SortStableFunc(f.problems, func(a, b problem.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return f.problems.Err()
}
