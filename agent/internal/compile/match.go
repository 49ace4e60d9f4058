package compile

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// filter is a compiled naming.Filter and what its patterns capture.
type filter struct {
	equal  *float64
	where  []condition
	Unless int // index of a family of the planned table; -1: none
}

type condition struct {
	label    string
	patterns patterns
	capture  string // the tag for the text that * matched; empty: none
}

func compileFilter(f *naming.Filter, capture map[string]string) filter {
	c := filter{equal: f.Equal, Unless: -1}
	for _, label := range slices.Sorted(maps.Keys(f.Where)) {
		c.where = append(c.where, condition{label, compileList(f.Where[label]), capture[label]})
	}
	return c
}

// Admits reports whether a sample passes the filter. It adds captures to p as tags.
func (f *filter) Admits(p *naming.Point) bool {
	if f.equal != nil && p.Value != *f.equal {
		return false
	}
	for i := range f.where {
		c := &f.where[i]
		_, captured, ok := c.patterns.find(p.Label(c.label))
		if !ok {
			return false
		}
		if c.capture != "" {
			p.Set(c.capture, captured)
		}
	}
	return true
}

// patterns maps values, ignoring case, to text. Exact patterns come first, then the longest.
type patterns []pattern

// pattern is an exact value in lower case, or the prefix and suffix around a *.
type pattern struct {
	prefix, suffix string
	wild           bool
	text           string
}

// compilePatterns compiles a map from pattern to text.
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

// compileList compiles patterns without text.
func compileList(list []string) patterns {
	byPattern := make(map[string]string, len(list))
	for _, pattern := range list {
		byPattern[pattern] = ""
	}
	return compilePatterns(byPattern)
}

// find returns the text for a value, and the part of the value that * matched. It allocates
// nothing.
func (p patterns) find(value string) (text, captured string, ok bool) {
	for i := range p {
		if captured, ok := p[i].match(value); ok {
			return p[i].text, captured, true
		}
	}
	return "", "", false
}

// match reports whether value matches, and returns the part that * matched.
func (p *pattern) match(value string) (captured string, ok bool) {
	rest, ok := cutStart(value, p.prefix)
	if !ok || !p.wild {
		return "", ok && rest == ""
	}
	return cutEnd(rest, p.suffix)
}

// cutStart is strings.CutPrefix ignoring case; the prefix is in lower case.
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

// cutEnd is strings.CutSuffix ignoring case; the suffix is in lower case.
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

// Namer returns the metric of a sample.
type Namer struct {
	registry *registry
	like     sink.Metric // template of its metrics
	parts    []naming.TemplatePart
	choices  []choice
	fixed    *sink.Metric // nil: the name depends on labels
}

// choice maps the values of a label to text in names.
type choice struct {
	label    string
	patterns patterns
}

func newNamer(r *registry, like sink.Metric, choose map[string]map[string]string) *Namer {
	n := &Namer{registry: r, like: like}
	for _, label := range slices.Sorted(maps.Keys(choose)) {
		n.choices = append(n.choices, choice{label, compilePatterns(choose[label])})
	}
	n.parts, _ = naming.ParseTemplate(like.Name)
	if len(n.parts) == 1 && n.parts[0].Label == "" {
		n.fixed, _ = r.metric([]byte(like.Name), &like, math.MaxInt)
	}
	return n
}

// Metric returns the metric of a sample, or nil if a label has a value that Choose does not
// list. It returns an error if there are too many metrics.
func (n *Namer) Metric(p *naming.Point, scratch *[]byte) (*sink.Metric, error) {
	for i := range n.choices {
		if _, _, ok := n.choices[i].patterns.find(p.Label(n.choices[i].label)); !ok {
			return nil, nil
		}
	}
	if n.fixed != nil {
		return n.fixed, nil
	}
	name := (*scratch)[:0]
	for _, part := range n.parts {
		name = append(name, part.Text...)
		if part.Label != "" {
			name = n.appendValue(name, part.Label, p.Label(part.Label))
		}
	}
	*scratch = name
	return n.registry.metric(name, &n.like, maxMetrics)
}

// appendValue appends the value of a label in the form it has in names.
func (n *Namer) appendValue(name []byte, label, value string) []byte {
	for i := range n.choices {
		if n.choices[i].label == label {
			text, _, _ := n.choices[i].patterns.find(value)
			return append(name, text...)
		}
	}
	for i := range len(value) {
		c := value[i]
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			c = '_'
		}
		name = append(name, c)
	}
	return name
}

// registry interns metrics: one pointer each, never released. It is safe for concurrent use.
type registry struct {
	mu      sync.RWMutex
	metrics map[string]*sink.Metric
	full    error // set at the first overflow and then always returned, so that it is logged once
}

func newRegistry() *registry { return &registry{metrics: map[string]*sink.Metric{}} }

// maxMetrics limits the metrics named after label values: a label with as many values as
// the cluster has objects belongs in a tag.
const maxMetrics = 10_000

// metric returns the metric of a name. A new one is a copy of like; only that allocates. It
// returns an error if there are already most metrics.
func (r *registry) metric(name []byte, like *sink.Metric, most int) (*sink.Metric, error) {
	r.mu.RLock()
	m, ok := r.metrics[string(name)]
	r.mu.RUnlock()
	if ok {
		return m, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m, ok := r.metrics[string(name)]; ok {
		return m, nil
	}
	if len(r.metrics) >= most {
		if r.full == nil {
			r.full = fmt.Errorf("metric %q: too many names from labels: must be at most %d", like.Name, most)
		}
		return nil, r.full
	}
	m = new(*like)
	m.Name = string(name)
	r.metrics[m.Name] = m
	return m, nil
}
