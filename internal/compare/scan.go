package compare

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/kubestate/kubestate/internal/problem"
)

// maxLine bounds a line of an exposition.
const maxLine = 1 << 20

// sample is a line of the text exposition format, version 0.0.4. Its bytes are
// valid until the next line is read.
type sample struct {
	line   []byte
	name   []byte
	labels []byte // between the braces, as written
	value  float64
	key    uint64 // hash of the name and of the labels in any order
	// repaired is set if invalid UTF-8 was replaced to compute key.
	repaired bool
}

// scanner scans the samples of one exposition. Keys of scanners with the same seed are
// comparable.
type scanner struct {
	seed  maphash.Seed
	lines *bufio.Scanner
	count int
	types map[string]string // by family
	now   sample
	err   error
}

func newScanner(r io.Reader, seed maphash.Seed) *scanner {
	s := &scanner{seed: seed, lines: bufio.NewScanner(r), types: map[string]string{}}
	s.lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	return s
}

// next advances to the next sample, and returns false at the end or on an error.
func (s *scanner) next() bool {
	for s.err == nil && s.lines.Scan() {
		s.count++
		line := bytes.TrimRight(s.lines.Bytes(), " \r")
		switch {
		case len(line) == 0:
		case line[0] == '#':
			s.comment(line)
		default:
			if err := s.sample(line); err != nil {
				s.err = fmt.Errorf("line %d: %w", s.count, err)
			}
			return s.err == nil
		}
	}
	if err := s.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		s.err = fmt.Errorf("line %d: longer than %d bytes", s.count+1, maxLine)
	} else if err != nil && s.err == nil {
		s.err = err
	}
	return false
}

// comment records the type in a TYPE line.
func (s *scanner) comment(line []byte) {
	if rest, ok := bytes.CutPrefix(line, []byte("# TYPE ")); ok {
		if name, kind, ok := bytes.Cut(rest, []byte(" ")); ok {
			s.types[string(name)] = string(kind)
		}
	}
}

func (s *scanner) sample(line []byte) error {
	v := sample{line: line}
	end := bytes.IndexAny(line, "{ \t")
	if end <= 0 {
		return fmt.Errorf("invalid sample %q", problem.Cut(string(line)))
	}
	v.name = line[:end]
	v.key = maphash.Bytes(s.seed, v.name)
	rest := line[end:]
	if rest[0] == '{' {
		n, err := s.labels(&v, rest)
		if err != nil {
			return fmt.Errorf("%w in sample %q", err, problem.Cut(string(line)))
		}
		v.labels, rest = rest[1:n-1], rest[n:]
	}
	text, _, _ := bytes.Cut(bytes.TrimLeft(rest, " \t"), []byte(" ")) // a timestamp may follow
	value, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("invalid value %q in sample %q", problem.Cut(string(text)), problem.Cut(string(line)))
	}
	v.value = value
	s.now = v
	return nil
}

// labels adds the labels at the start of rest to the key, and returns their length
// including the braces.
func (s *scanner) labels(v *sample, rest []byte) (int, error) {
	i := 1
	for {
		for i < len(rest) && (rest[i] == ',' || rest[i] == ' ') {
			i++
		}
		if i < len(rest) && rest[i] == '}' {
			return i + 1, nil
		}
		name := bytes.IndexByte(rest[i:], '=')
		if name <= 0 || i+name+1 >= len(rest) || rest[i+name+1] != '"' {
			return 0, errors.New("invalid labels")
		}
		end := i + name + 2
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(rest) {
			return 0, errors.New("unterminated label value")
		}
		// A sum is independent of the order.
		v.key += maphash.Bytes(s.seed, s.valid(v, rest[i:end]))
		i = end + 1
	}
}

func (s *scanner) valid(v *sample, text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	v.repaired = true
	return bytes.ToValidUTF8(text, []byte("\uFFFD"))
}

// same reports whether two values are equal; NaN equals NaN.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
