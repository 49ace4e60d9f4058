package kubestate_test

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kubestate/kubestate/exposition"
)

// check returns an error unless a body is OpenMetrics 1.0.0 without timestamps, exemplars
// and units, or the equivalent in the text format 0.0.4. Like the exporter it is stricter
// than the standard: HELP and TYPE in this order for each family, no label with a reserved
// name, no empty braces.
func check(body string, f exposition.Format) error {
	c := checker{openMetrics: f != exposition.Text, claims: map[string]string{}, families: map[string]bool{}, series: map[string]bool{}}
	if !utf8.ValidString(body) {
		return errors.New("body is not UTF-8")
	}
	if c.openMetrics {
		var ok bool
		if body, ok = strings.CutSuffix(body, "# EOF\n"); !ok {
			return errors.New("body does not end with # EOF")
		}
	}
	n := 0
	for l := range strings.Lines(body) {
		n++
		l, ok := strings.CutSuffix(l, "\n")
		if !ok {
			return fmt.Errorf("line %d: no line feed: %q", n, l)
		}
		if err := c.line(l); err != nil {
			return fmt.Errorf("line %d: %w: %q", n, err, l)
		}
	}
	if c.helped {
		return errors.New("body ends after a HELP line")
	}
	return nil
}

// checker is the state of check before a line of a body.
type checker struct {
	openMetrics bool
	name, typ   string            // of the family
	helped      bool              // the previous line was the HELP line of a family
	claims      map[string]string // sample name → the family that may have it
	families    map[string]bool
	series      map[string]bool
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	realNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$`)
	sampleLine = regexp.MustCompile(`^([^ {]+)(\{.+\})? ([^ ]+)$`)
	oneLabel   = regexp.MustCompile(`^([^="{},]+)="((?:[^"\\\n]|\\[n"\\])*)"`)
	escapes    = regexp.MustCompile(`^([^\\]|\\[n\\])*$`)
	omEscapes  = regexp.MustCompile(`^([^"\\]|\\[n"\\])*$`)
)

func (c *checker) line(l string) error {
	if rest, ok := strings.CutPrefix(l, "# HELP "); ok {
		return c.help(rest)
	}
	if rest, ok := strings.CutPrefix(l, "# TYPE "); ok {
		return c.family(rest)
	}
	if c.helped {
		return errors.New("no TYPE line after HELP")
	}
	if l == "" || l[0] == '#' {
		return errors.New("neither sample nor metadata")
	}
	return c.sample(l)
}

func (c *checker) help(rest string) error {
	name, text, ok := strings.Cut(rest, " ")
	pattern := escapes
	if c.openMetrics {
		pattern = omEscapes
	}
	switch {
	case c.helped:
		return errors.New("two HELP lines")
	case !ok || !metricName.MatchString(name):
		return errors.New("no metric name and text")
	case c.families[name]:
		return errors.New("duplicate family")
	case !pattern.MatchString(text):
		return errors.New("bad escape in help text")
	}
	c.name, c.helped, c.families[name] = name, true, true
	return nil
}

func (c *checker) family(rest string) error {
	name, typ, _ := strings.Cut(rest, " ")
	if !c.helped || name != c.name {
		return errors.New("TYPE does not follow the HELP line of its family")
	}
	c.typ, c.helped = typ, false
	claims := []string{name}
	switch {
	case !c.openMetrics && (typ == "gauge" || typ == "counter"):
	case c.openMetrics && (typ == "gauge" || typ == "unknown" || typ == "stateset"):
	case c.openMetrics && typ == "counter" && !strings.HasSuffix(name, "_total"):
		claims = []string{name + "_total", name + "_created"}
	case c.openMetrics && typ == "info" && !strings.HasSuffix(name, "_info"):
		claims = []string{name + "_info"}
	default:
		return errors.New("type unknown to the format, or its suffix in the family name")
	}
	for _, s := range claims {
		if other, ok := c.claims[s]; ok {
			return fmt.Errorf("sample name %s belongs to family %s too", s, other)
		}
		c.claims[s] = name
	}
	return nil
}

func (c *checker) sample(l string) error {
	m := sampleLine.FindStringSubmatch(l)
	if m == nil {
		return errors.New("no sample")
	}
	name, value := m[1], m[3]
	if c.name == "" || c.claims[name] != c.name {
		return fmt.Errorf("sample does not belong to the family %q", c.name)
	}
	labels, err := readLabels(m[2])
	if err != nil {
		return err
	}
	id := name + fmt.Sprint(labels)
	if c.series[id] {
		return errors.New("duplicate series")
	}
	c.series[id] = true
	return c.value(value, labels)
}

// readLabels returns `name="value"` for each label, sorted.
func readLabels(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	s = s[1 : len(s)-1]
	var names, labels []string
	for {
		m := oneLabel.FindStringSubmatch(s)
		if m == nil {
			return nil, fmt.Errorf("no label at %q", s)
		}
		if !labelName.MatchString(m[1]) || strings.HasPrefix(m[1], "__") {
			return nil, fmt.Errorf("label name %q", m[1])
		}
		if slices.Contains(names, m[1]) {
			return nil, fmt.Errorf("duplicate label %s", m[1])
		}
		names, labels = append(names, m[1]), append(labels, m[0])
		if s = s[len(m[0]):]; s == "" {
			slices.Sort(labels)
			return labels, nil
		}
		if s[0] != ',' {
			return nil, fmt.Errorf("no comma at %q", s)
		}
		s = s[1:]
	}
}

func (c *checker) value(s string, labels []string) error {
	if !realNumber.MatchString(s) && s != "+Inf" && s != "-Inf" && s != "NaN" {
		return errors.New("value is not a number")
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return err
	}
	switch c.typ {
	case "counter":
		if v < 0 || math.IsNaN(v) {
			return errors.New("invalid counter value")
		}
	case "info":
		if v != 1 {
			return errors.New("invalid info value")
		}
	case "stateset":
		named := slices.ContainsFunc(labels, func(l string) bool { return strings.HasPrefix(l, c.name+"=") })
		if v != 0 && v != 1 || !named {
			return errors.New("invalid value or label of a state set")
		}
	}
	return nil
}

// TestCheck tests check.
func TestCheck(t *testing.T) {
	const gauge = "# HELP g H.\n# TYPE g gauge\n"
	good := []string{
		"# EOF\n",
		gauge + "# EOF\n",
		gauge + "g 1\n# EOF\n",
		gauge + `g{a="b"} -1.5e+09` + "\n" + `g{a="} 1 # EOF"} +Inf` + "\n" + `g{a="c",b="\\\n\""} NaN` + "\n# EOF\n",
		"# HELP c H.\n# TYPE c counter\nc_total 1\n" + gauge + "g 1\n# EOF\n",
		"# HELP i H \\\"q\\\" \\\\ \\n.\n# TYPE i info\ni_info{a=\"b\"} 1\n# EOF\n",
		"# HELP s \n# TYPE s stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n# EOF\n",
		"# HELP u H.\n# TYPE u unknown\nu 1\n# EOF\n",
	}
	for _, body := range good {
		if err := check(body, exposition.OpenMetrics); err != nil {
			t.Errorf("%v in\n%s", err, body)
		}
	}
	bad := map[string]string{
		"no end":                     gauge + "g 1\n",
		"two ends":                   "# EOF\n# EOF\n",
		"half a line":                gauge + "g 1 # EOF\n",
		"blank line":                 gauge + "\n# EOF\n",
		"comment":                    gauge + "# hello\n# EOF\n",
		"not UTF-8":                  gauge + "g{a=\"\xff\"} 1\n# EOF\n",
		"no metadata":                "g 1\n# EOF\n",
		"no help":                    "# TYPE g gauge\ng 1\n# EOF\n",
		"no type":                    "# HELP g H.\ng 1\n# EOF\n",
		"no type at the end":         "# HELP g H.\n# EOF\n",
		"two helps":                  "# HELP g H.\n" + gauge + "# EOF\n",
		"type of another":            "# HELP g H.\n# TYPE h gauge\n# EOF\n",
		"two families of one name":   gauge + gauge + "# EOF\n",
		"families mixed":             gauge + "# HELP h H.\n# TYPE h gauge\ng 1\n# EOF\n",
		"text of a help":             "# HELP g a \"b\"\n# TYPE g gauge\n# EOF\n",
		"escape in a help":           "# HELP g a\\tb\n# TYPE g gauge\n# EOF\n",
		"unknown type":               "# HELP g H.\n# TYPE g untyped\n# EOF\n",
		"counter with suffix":        "# HELP c_total H.\n# TYPE c_total counter\nc_total 1\n# EOF\n",
		"counter without suffix":     "# HELP c H.\n# TYPE c counter\nc 1\n# EOF\n",
		"negative counter":           "# HELP c H.\n# TYPE c counter\nc_total -1\n# EOF\n",
		"info of 2":                  "# HELP i H.\n# TYPE i info\ni_info 2\n# EOF\n",
		"state without label":        "# HELP s H.\n# TYPE s stateset\ns{a=\"b\"} 1\n# EOF\n",
		"clash of names":             "# HELP c_total H.\n# TYPE c_total gauge\n# HELP c H.\n# TYPE c counter\n# EOF\n",
		"clash with created":         "# HELP c H.\n# TYPE c counter\n# HELP c_created H.\n# TYPE c_created gauge\n# EOF\n",
		"other sample":               gauge + "h 1\n# EOF\n",
		"series twice":               gauge + "g{a=\"1\",b=\"2\"} 1\ng{b=\"2\",a=\"1\"} 1\n# EOF\n",
		"label twice":                gauge + "g{a=\"1\",a=\"2\"} 1\n# EOF\n",
		"label name":                 gauge + "g{a-b=\"1\"} 1\n# EOF\n",
		"label name with digit":      gauge + "g{1a=\"1\"} 1\n# EOF\n",
		"reserved label name":        gauge + "g{__a=\"1\"} 1\n# EOF\n",
		"escape in a label value":    gauge + "g{a=\"\\t\"} 1\n# EOF\n",
		"open quote":                 gauge + "g{a=\"\\\"} 1\n# EOF\n",
		"comma at the end":           gauge + "g{a=\"1\",} 1\n# EOF\n",
		"no comma":                   gauge + "g{a=\"1\"b=\"2\"} 1\n# EOF\n",
		"empty braces":               gauge + "g{} 1\n# EOF\n",
		"two blanks":                 gauge + "g  1\n# EOF\n",
		"timestamp":                  gauge + "g 1 2\n# EOF\n",
		"hexadecimal":                gauge + "g 0x1\n# EOF\n",
		"no value":                   gauge + "g{a=\"b\"}\n# EOF\n",
		"carriage return at the end": gauge + "g 1\r\n# EOF\n",
	}
	for name, body := range bad {
		if check(body, exposition.OpenMetrics) == nil {
			t.Errorf("%s: accepted:\n%s", name, body)
		}
	}
	text := map[string]bool{
		"": true, gauge: true, gauge + "g 1\n": true, "# HELP c_total \"H\"\n# TYPE c_total counter\nc_total 1\n": true,
		gauge + "# EOF\n": false, "# HELP i_info H.\n# TYPE i_info info\n": false,
	}
	for body, want := range text {
		if err := check(body, exposition.Text); (err == nil) != want {
			t.Errorf("text: %v in\n%s", err, body)
		}
	}
}
