package conf

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// parseAllowLists reads which keys are allowed for which resource, such as
//
//	pods=[app,team-*], nodes=[*]
//
// Names and keys are any text without = [ ] and comma; blanks around them are
// dropped. An empty text is no list. A first key may be empty, for the sake of
// configurations made from templates: it matches nothing that exists.
func parseAllowLists(text string) (map[string][]string, error) {
	lists := map[string][]string{}
	p := &allowListParser{text: text}
	p.blanks()
	if p.atEnd() {
		return lists, nil
	}
	for {
		resource := p.word()
		if !p.take("=[") {
			return nil, p.want("a resource, then =[")
		}
		if _, ok := lists[resource]; ok {
			return nil, p.wrong(fmt.Sprintf("resource %q is listed twice, want all its keys in one list", resource))
		}
		keys, err := p.keys()
		if err != nil {
			return nil, err
		}
		lists[resource] = keys
		p.blanks()
		if p.atEnd() {
			return lists, nil
		}
		if !p.take(",") {
			return nil, p.want("a comma and another resource, or the end")
		}
	}
}

// allowListParser is a place in a text.
type allowListParser struct {
	text string
	pos  int // in bytes
}

// keys reads up to and including the closing bracket.
func (p *allowListParser) keys() ([]string, error) {
	keys := []string{}
	for {
		key := p.word()
		switch {
		case key == "" && len(keys) == 0 && p.take("]"):
			return keys, nil
		case key == "" && len(keys) > 0:
			return nil, p.want("a key")
		}
		keys = append(keys, key)
		switch {
		case p.take("]"):
			return keys, nil
		case !p.take(","):
			return nil, p.want("a comma and another key, or ]")
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

func (p *allowListParser) want(allowed string) error {
	found := "the end"
	if !p.atEnd() {
		r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
		found = fmt.Sprintf("%q", string(r))
	}
	return p.wrong(fmt.Sprintf("found %s, want %s", found, allowed))
}

func (p *allowListParser) wrong(what string) error {
	column := utf8.RuneCountInString(p.text[:p.pos]) + 1
	return fmt.Errorf("invalid format, metric=[label1,label2,labeln...],metricN=[]: column %d: %s", column, what)
}
