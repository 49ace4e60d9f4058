package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// difference returns nil if two expositions are equivalent: the same header lines in
// the same order, and per family the same sample lines in any order, because the order
// of objects is arbitrary.
func difference(got, want string) error {
	g, w := families(got), families(want)
	var out strings.Builder
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			fmt.Fprintf(&out, "missing family:\n%s", w[i].header)
		case i >= len(w):
			fmt.Fprintf(&out, "unexpected family:\n%s", g[i].header)
		case g[i].header != w[i].header:
			fmt.Fprintf(&out, "family %d is\n%sand should be\n%s", i, g[i].header, w[i].header)
			return fmt.Errorf("%s", out.String())
		case !slices.Equal(g[i].samples, w[i].samples):
			describe(&out, g[i].samples, w[i].samples)
		}
	}
	if out.Len() > 0 {
		return fmt.Errorf("%s", out.String())
	}
	return nil
}

// describe writes the lines that are in only one of two sorted lists, including
// repetitions.
func describe(out *strings.Builder, got, want []string) {
	for len(got) > 0 || len(want) > 0 {
		switch {
		case len(want) == 0 || len(got) > 0 && got[0] < want[0]:
			fmt.Fprintf(out, "unexpected: %s", got[0])
			got = got[1:]
		case len(got) == 0 || want[0] < got[0]:
			fmt.Fprintf(out, "missing:    %s", want[0])
			want = want[1:]
		default:
			got, want = got[1:], want[1:]
		}
	}
}

// family is the text of a family: its comment lines, and its sorted sample lines.
type family struct {
	header  string
	samples []string
}

func families(text string) []family {
	var all []family
	for line := range strings.Lines(text) {
		if len(all) == 0 || strings.HasPrefix(line, "# HELP ") {
			all = append(all, family{})
		}
		last := &all[len(all)-1]
		if strings.HasPrefix(line, "#") {
			last.header += line
		} else {
			last.samples = append(last.samples, line)
		}
	}
	for i := range all {
		slices.Sort(all[i].samples)
	}
	return all
}

func TestDifference(t *testing.T) {
	const text = "# HELP a A.\n# TYPE a gauge\n# HELP b B.\n# TYPE b gauge\nb{x=\"1\"} 1\nb{x=\"2\"} 2\n"
	same := map[string]string{
		"the same":             text,
		"another sample order": "# HELP a A.\n# TYPE a gauge\n# HELP b B.\n# TYPE b gauge\nb{x=\"2\"} 2\nb{x=\"1\"} 1\n",
	}
	for name, got := range same {
		if err := difference(got, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	different := map[string]string{
		"nothing":                  "",
		"another value":            strings.Replace(text, "} 2", "} 3", 1),
		"a sample twice":           text + "b{x=\"2\"} 2\n",
		"a sample less":            strings.Replace(text, "b{x=\"1\"} 1\n", "", 1),
		"another type":             strings.Replace(text, "b gauge", "b counter", 1),
		"a bare family less":       strings.Replace(text, "# HELP a A.\n# TYPE a gauge\n", "", 1),
		"another family order":     "# HELP b B.\n# TYPE b gauge\nb{x=\"1\"} 1\nb{x=\"2\"} 2\n# HELP a A.\n# TYPE a gauge\n",
		"a family more":            text + "# HELP c C.\n# TYPE c gauge\n",
		"a family in two pieces":   text + "# HELP b B.\n# TYPE b gauge\nb{x=\"3\"} 3\n",
		"a sample of another name": strings.Replace(text, "b{x=\"1\"} 1", "c{x=\"1\"} 1", 1),
		"no newline at the end":    strings.TrimSuffix(text, "\n"),
	}
	for name, got := range different {
		if difference(got, text) == nil {
			t.Errorf("%s: no difference found", name)
		}
	}
}
