package customresource

import (
	"fmt"
	"strconv"
	"strings"
)

// selector is a compiled Selector.
type selector struct {
	path path
	cel  *expression // nil: path
}

// String is the selector in messages: "status.conditions.[type=Ready]".
func (s Selector) String() string {
	switch {
	case s.CEL != "":
		return fmt.Sprintf("cel %q", s.CEL)
	case len(s.Path) == 0:
		return "the object"
	default:
		return strings.Join(s.Path, ".")
	}
}

// get returns what the selector makes of v, which is a part of the object; nil if
// there is nothing. An expression that fails is a failure of the samples.
func (s *selector) get(of *samples, v any) any {
	if s.cel == nil {
		return s.path.get(v)
	}
	found, err := s.cel.eval(of.object.root, v)
	if err != nil {
		of.fail("cel", err)
	}
	return found
}

// only reports whether the selector is a path of one segment of this name.
func (s *selector) only(name string) bool {
	return s.cel == nil && len(s.path) == 1 && s.path[0].name == name
}

// path is a compiled path: it selects a value below another. The empty path selects
// the value itself.
type path []segment

// segment is one step of a path.
type segment struct {
	name string // of a member
	// index is where a list is entered; only if isIndex.
	index   int
	isIndex bool
	// key and value are of "[key=value]", which selects an element of a list, or of
	// "key=value", which selects a member that is this string.
	key, value string
	element    bool // [key=value]
	equals     bool // key=value
	literal    literal
}

// compilePath compiles the segments of a path.
func compilePath(segments []string) (path, error) {
	p := make(path, len(segments))
	for i, text := range segments {
		s := segment{name: text}
		inner, bracketed := strings.CutPrefix(text, "[")
		inner, closed := strings.CutSuffix(inner, "]")
		switch {
		case bracketed && closed:
			key, value, ok := strings.Cut(inner, "=")
			if !ok {
				return nil, fmt.Errorf("invalid list lookup %q: must be [key=value]", text)
			}
			s.key, s.value, s.element, s.literal = key, value, true, literalOf(value)
		case strings.Count(text, "=") == 1:
			s.key, s.value, _ = strings.Cut(text, "=")
			s.equals = true
		default:
			if n, err := strconv.Atoi(text); err == nil {
				s.index, s.isIndex = n, true
			}
		}
		p[i] = s
	}
	return p, nil
}

// get returns what the path selects; nil if there is nothing.
func (p path) get(v any) any {
	for i := range p {
		if v == nil {
			return nil
		}
		v = p[i].get(v)
	}
	return v
}

func (s *segment) get(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s.element {
			return nil
		}
		if s.equals {
			if text, ok := v[s.key].(string); ok && text == s.value {
				return text
			}
		}
		return v[s.name]
	case []any:
		switch {
		case s.element:
			return s.find(v)
		case s.isIndex:
			i := s.index
			if i < 0 {
				i += len(v)
			}
			if 0 <= i && i < len(v) {
				return v[i]
			}
		}
	}
	return nil
}

// find returns the first element whose key matches.
func (s *segment) find(list []any) any {
	for _, element := range list {
		if m, ok := element.(map[string]any); ok {
			if member, ok := m[s.key]; ok && s.literal.matches(member) {
				return element
			}
		}
	}
	return nil
}

// literal is the value of "[key=value]": a string and, if it can be read so, a number
// or a boolean.
type literal struct {
	text            string
	number          float64
	isNumber        bool
	boolean, isBool bool
}

func literalOf(text string) literal {
	l := literal{text: text}
	if n, err := parseNumber(text); err == nil {
		l.number, l.isNumber = n, true
	}
	if b, err := strconv.ParseBool(text); err == nil {
		l.boolean, l.isBool = b, true
	}
	return l
}

// matches reports whether a member has the value. Words such as False and Unknown
// are not taken for numbers.
func (l *literal) matches(member any) bool {
	switch member := member.(type) {
	case string:
		if member == l.text {
			return true
		}
		if !l.isNumber {
			return false
		}
		n, err := parseNumber(member)
		return err == nil && n == l.number
	case int64:
		return l.isNumber && float64(member) == l.number
	case float64:
		return l.isNumber && member == l.number
	case bool:
		return l.isBool && member == l.boolean
	}
	return false
}
