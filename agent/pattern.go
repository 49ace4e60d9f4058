package agent

import (
	"fmt"
	"slices"
	"strings"
)

// patterns finds what stands for a value: text by pattern, in lower case.
type patterns struct {
	exact map[string]string
	wild  []wildcard // the longest first
}

// wildcard is a pattern with one *: what stands before and behind it.
type wildcard struct{ prefix, suffix, text string }

// compilePatterns compiles text by pattern.
func compilePatterns(byPattern map[string]string) (patterns, error) {
	p := patterns{exact: map[string]string{}}
	for pattern, text := range byPattern {
		prefix, suffix, wild := strings.Cut(strings.ToLower(pattern), "*")
		switch {
		case strings.Contains(suffix, "*"):
			return p, fmt.Errorf("pattern %q: only one * is allowed", pattern)
		case wild:
			p.wild = append(p.wild, wildcard{prefix, suffix, text})
		default:
			p.exact[prefix] = text
		}
	}
	slices.SortFunc(p.wild, func(a, b wildcard) int {
		if d := len(b.prefix) + len(b.suffix) - len(a.prefix) - len(a.suffix); d != 0 {
			return d
		}
		return strings.Compare(a.prefix+"*"+a.suffix, b.prefix+"*"+b.suffix)
	})
	return p, nil
}

// compileList compiles patterns that stand for nothing.
func compileList(list []string) (patterns, error) {
	byPattern := make(map[string]string, len(list))
	for _, pattern := range list {
		byPattern[pattern] = ""
	}
	return compilePatterns(byPattern)
}

// find returns the text for a value, and what the * of its pattern stands for. It
// allocates only where value has upper-case letters.
func (p *patterns) find(value string) (text, captured string, ok bool) {
	lower := strings.ToLower(value)
	if text, ok := p.exact[lower]; ok {
		return text, "", true
	}
	for _, w := range p.wild {
		if len(lower) >= len(w.prefix)+len(w.suffix) && strings.HasPrefix(lower, w.prefix) && strings.HasSuffix(lower, w.suffix) {
			if len(lower) == len(value) {
				lower = value // as the object spells it
			}
			return w.text, lower[len(w.prefix) : len(lower)-len(w.suffix)], true
		}
	}
	return "", "", false
}
