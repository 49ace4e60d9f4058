package conf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kubestate/kubestate/internal/problem"
)

// parseAllowLists reads which keys are allowed for which resource, such as
//
//	pods=[app,team-*], nodes=[*]
//
// Names and keys are any text without = [ ] and comma; blanks around them are
// dropped. An empty text is no list. A first key may be empty, for the sake of
// configurations made from templates: it matches nothing that exists. As in
// kube-state-metrics, a resource without a list at the end has none, the last list of a
// resource counts, and a list that is not closed loses its last key; ignored says so.
func parseAllowLists(text string) (lists map[string][]string, ignored []string, err error) {
	lists = map[string][]string{}
	p := &allowListParser{text: text}
	p.blanks()
	if p.atEnd() {
		return lists, nil, nil
	}
	for {
		resource := p.word()
		if resource != "" && (p.atEnd() || p.text[p.pos:] == "=") {
			return lists, append(p.ignored, fmt.Sprintf("ignoring %s, which has no list of keys: must be %[1]s=[key,...]", problem.Cut(resource))), nil
		}
		if !p.take("=[") {
			return nil, nil, p.expected("a resource, then =[")
		}
		if _, ok := lists[resource]; ok {
			p.ignored = append(p.ignored, fmt.Sprintf("%s has several lists; using the last: must have all keys in one list", problem.Cut(resource)))
		}
		if lists[resource], err = p.keys(); err != nil {
			return nil, nil, err
		}
		p.blanks()
		if p.atEnd() {
			return lists, p.ignored, nil
		}
		if !p.take(",") {
			return nil, nil, p.expected("a comma and another resource, or the end")
		}
	}
}

// allowListParser is a place in a text.
type allowListParser struct {
	text    string
	pos     int // in bytes
	ignored []string
}

// keys reads up to and including the closing bracket, or to the end.
func (p *allowListParser) keys() ([]string, error) {
	keys := []string{}
	for {
		key := p.word()
		switch {
		case key == "" && len(keys) == 0 && p.take("]"):
			return keys, nil
		case p.atEnd() && (key != "" || len(keys) == 0):
			p.ignored = append(p.ignored, fmt.Sprintf("ignoring the last key %s: the list must end with ]", problem.Quote(key)))
			return keys, nil
		case key == "" && len(keys) > 0:
			return nil, p.expected("a key")
		}
		keys = append(keys, key)
		switch {
		case p.take("]"):
			return keys, nil
		case !p.take(","):
			return nil, p.expected("a comma and another key, or ]")
		}
	}
}

// word reads up to the next sign of the syntax or the end.
func (p *allowListParser) word() string {
	n := strings.IndexAny(p.text[p.pos:], "=[],")
	if n < 0 {
		n = len(p.text) - p.pos
	}
	word := p.text[p.pos : p.pos+n]
	p.pos += n
	return strings.TrimSpace(word)
}

func (p *allowListParser) blanks() {
	p.pos = len(p.text) - len(strings.TrimLeft(p.text[p.pos:], " \t\r\n"))
}

func (p *allowListParser) take(sign string) bool {
	if !strings.HasPrefix(p.text[p.pos:], sign) {
		return false
	}
	p.pos += len(sign)
	return true
}

func (p *allowListParser) atEnd() bool { return p.pos == len(p.text) }

// expected returns the error that something else should be at this place.
func (p *allowListParser) expected(what string) error {
	found := "the end"
	if !p.atEnd() {
		r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
		found = strconv.Quote(string(r))
	}
	column := utf8.RuneCountInString(p.text[:p.pos]) + 1
	return fmt.Errorf("%scolumn %d: unexpected %s: must be %s", formatError, column, found, what)
}

// formatError begins with the error of kube-state-metrics.
const formatError = "invalid format, metric=[label1,label2,labeln...],metricN=[]: "
