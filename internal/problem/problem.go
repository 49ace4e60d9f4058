// Package problem is what is wrong with input, as values: flags, configuration
// files and naming schemes report problems, whoever reads the input adds where they
// are, and the command prints one line for each. It does not know what the input
// means.
package problem

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxQuote is how many characters of the input a problem quotes at most.
const MaxQuote = 100

// Problem is one thing that is wrong with input. As an error it reads
//
//	SOURCE:LINE: PATH: WHAT: HINT ALLOWED
//
// without the parts that are empty, and without a long list of what is allowed where
// there is a hint.
type Problem struct {
	Source  string // where the input is from: a file, or a flag such as --port
	Line    int    // in Source; 0: unknown or none
	Path    string // the key, such as agent.sinks[0].type
	What    string // what is wrong: invalid port 99999
	Allowed string // what is allowed: must be between 0 and 65535
	Hint    string // what may have been meant: did you mean pods?
}

// New returns a problem that has no place yet.
func New(what, allowed string) Problem { return Problem{What: what, Allowed: allowed} }

// Invalid returns the problem that a value is no such thing: invalid port "x":
// must be ….
func Invalid(thing, value, allowed string) Problem {
	return New("invalid "+thing+" "+Quote(value), allowed)
}

// Error implements error.
func (p Problem) Error() string {
	var parts []string
	switch {
	case p.Source != "" && p.Line != 0:
		parts = append(parts, p.Source+":"+strconv.Itoa(p.Line))
	case p.Source != "":
		parts = append(parts, p.Source)
	}
	allowed := p.Allowed
	if p.Hint != "" {
		if len(allowed) > MaxQuote {
			allowed = ""
		}
		allowed = strings.TrimSpace(p.Hint + " " + allowed)
	}
	for _, part := range []string{p.Path, p.What, allowed} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// In returns the problem with a source.
func (p Problem) In(source string) Problem {
	p.Source = source
	return p
}

// At returns the problem below a key: the key precedes the path that it has.
func (p Problem) At(key string) Problem {
	p.Path = Join(key, p.Path)
	return p
}

// Join returns the path of a key below another; either may be empty.
func Join(path, key string) string {
	if path == "" || key == "" || key[0] == '[' {
		return path + key
	}
	return path + "." + key
}

// Quote returns text in quotes, cut to MaxQuote characters.
func Quote(text string) string { return strconv.Quote(Cut(text)) }

// Cut returns text cut to MaxQuote characters, the last an ellipsis where something
// is missing.
func Cut(text string) string {
	if utf8.RuneCountInString(text) <= MaxQuote {
		return text
	}
	runes := 0
	for i := range text {
		if runes++; runes == MaxQuote {
			return text[:i] + "…"
		}
	}
	return text
}

// List is several problems. As an error it has one line for each.
type List []Problem

// Error implements error.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i := range l {
		lines[i] = l[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the list as an error; nil where it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// From returns the problems with input from a source: those without one get it.
func (l List) From(source string) List {
	l = slices.Clone(l)
	for i := range l {
		l[i].Source = cmp.Or(l[i].Source, source)
	}
	return l
}

// Of returns the problems of an error: those of a List, those of each error that
// errors.Join joined, and an error of another type as one problem, unless it wraps one
// without adding to its text. nil has none.
func Of(err error) List {
	switch e := err.(type) { //nolint:errorlint // an error that wraps another adds to its text
	case nil:
		return nil
	case Problem:
		return List{e}
	case List:
		return e
	case interface{ Unwrap() []error }:
		var l List
		for _, err := range e.Unwrap() {
			l = append(l, Of(err)...)
		}
		return l
	default:
		if inner := errors.Unwrap(err); inner != nil && inner.Error() == err.Error() {
			return Of(inner)
		}
		return List{{What: err.Error()}}
	}
}

// In returns the problems of an error as problems with something: a word in front of
// each. It is nil if err is.
func In(what string, err error) error {
	var l List
	for _, p := range Of(err) {
		l = append(l, Problem{Source: what, What: p.Error()})
	}
	return l.Err()
}
