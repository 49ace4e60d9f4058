package naming

import (
	"fmt"
	"strings"
)

// A TemplatePart is text and the label that follows it; an empty label: none does.
type TemplatePart struct{ Text, Label string }

// ParseTemplate splits a text with {label} in it, such as Rule.Metric. What follows a
// mistake is text.
func ParseTemplate(s string) ([]TemplatePart, error) {
	var parts []TemplatePart
	for rest := s; ; {
		text, after, found := strings.Cut(rest, "{")
		if !found {
			return append(parts, TemplatePart{Text: text}), nil
		}
		label, behind, closed := strings.Cut(after, "}")
		if !closed || label == "" {
			return append(parts, TemplatePart{Text: rest}), fmt.Errorf("%q: a label is written {label}", s)
		}
		parts = append(parts, TemplatePart{text, label})
		rest = behind
	}
}
