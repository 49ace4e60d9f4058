package compile

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kubestate/kubestate/metric"
)

// patterns finds what stands for a value, upper and lower case alike: those that
// are exact first, then the longest.
type patterns []pattern

// pattern is a value in lower case, or what stands before and behind its *.
type pattern struct {
	prefix, suffix string
	wild           bool
	text           string
}

// compilePatterns compiles text by pattern.
func compilePatterns(byPattern map[string]string) patterns {
	var all patterns
	for text, standsFor := range byPattern {
		p := pattern{text: standsFor}
		p.prefix, p.suffix, p.wild = strings.Cut(strings.ToLower(text), "*")
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b pattern) int {
		if a.wild != b.wild {
			return cmp.Compare(metric.Float(a.wild), metric.Float(b.wild))
		}
		return cmp.Or(
			cmp.Compare(len(b.prefix)+len(b.suffix), len(a.prefix)+len(a.suffix)),
			strings.Compare(a.prefix, b.prefix), strings.Compare(a.suffix, b.suffix), strings.Compare(a.text, b.text),
		)
	})
	return all
}

// compileList compiles patterns that stand for nothing.
func compileList(list []string) patterns {
	byPattern := make(map[string]string, len(list))
	for _, pattern := range list {
		byPattern[pattern] = ""
	}
	return compilePatterns(byPattern)
}

// find returns the text for a value, and what the * of its pattern stands for, as
// the value spells it. It allocates nothing.
func (p patterns) find(value string) (text, captured string, ok bool) {
	for i := range p {
		if captured, ok := p[i].match(value); ok {
			return p[i].text, captured, true
		}
	}
	return "", "", false
}

// match returns what the * of a pattern stands for.
func (p *pattern) match(value string) (captured string, ok bool) {
	rest, ok := cutStart(value, p.prefix)
	if !ok || !p.wild {
		return "", ok && rest == ""
	}
	return cutEnd(rest, p.suffix)
}

// cutStart cuts off a start that is given in lower case.
func cutStart(s, lower string) (rest string, ok bool) {
	for len(lower) > 0 {
		a, n := utf8.DecodeRuneInString(s)
		b, m := utf8.DecodeRuneInString(lower)
		if n == 0 || unicode.ToLower(a) != b {
			return "", false
		}
		s, lower = s[n:], lower[m:]
	}
	return s, true
}

// cutEnd cuts off an end that is given in lower case.
func cutEnd(s, lower string) (rest string, ok bool) {
	for len(lower) > 0 {
		a, n := utf8.DecodeLastRuneInString(s)
		b, m := utf8.DecodeLastRuneInString(lower)
		if n == 0 || unicode.ToLower(a) != b {
			return "", false
		}
		s, lower = s[:len(s)-n], lower[:len(lower)-m]
	}
	return s, true
}
