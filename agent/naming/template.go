package naming

import (
	"fmt"
	"strings"
)

// A TemplatePart is text and the label that follows it, empty for none.
type TemplatePart struct{ Text, Label string }

// ParseTemplate splits a template with {label} references, such as Rule.Metric. After a
// syntax error, the rest is text.
func ParseTemplate(s string) ([]TemplatePart, error) {
	var parts []TemplatePart
	for rest := s; ; {
		text, after, found := strings.Cut(rest, "{")
		if !found {
			return append(parts, TemplatePart{Text: text}), nil
		}
		label, behind, closed := strings.Cut(after, "}")
		if !closed || label == "" {
			return append(parts, TemplatePart{Text: rest}), fmt.Errorf("invalid template %q: must have labels as {label}", s)
		}
		parts = append(parts, TemplatePart{text, label})
		rest = behind
	}
}
