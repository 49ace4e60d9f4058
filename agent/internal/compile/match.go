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

// filter is a compiled Filter and what its patterns capture.
type filter struct {
	equal  *float64
	where  []condition
	Unless int // a family of the planned table; -1: none
}

type condition struct {
	label    string
	patterns patterns
	capture  string // the tag for what * stood for; empty: none
}

func compileFilter(f *naming.Filter, capture map[string]string) filter {
	c := filter{equal: f.Equal, Unless: -1}
	for _, label := range slices.Sorted(maps.Keys(f.Where)) {
		c.where = append(c.where, condition{label, compileList(f.Where[label]), capture[label]})
	}
	return c
}

// Admits reports whether a sample counts. It adds what patterns capture to p.
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

// Namer tells the metric of a sample.
type Namer struct {
	registry *registry
	like     sink.Metric // what all of its metrics have in common
	parts    []naming.TemplatePart
	choices  []choice
	fixed    *sink.Metric // nil: the name depends on labels
}

// choice says what stands for the value of a label.
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

// Metric returns the metric of a sample; nil where no choice is made of its labels.
// The error says that there are too many.
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

// appendValue appends what stands in a name for the value of a label.
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

// registry has one pointer for each metric, for good. It is safe for concurrent use.
type registry struct {
	mu      sync.RWMutex
	metrics map[string]*sink.Metric
	full    error // the first time that there were too many; always the same, to be logged once
}

func newRegistry() *registry { return &registry{metrics: map[string]*sink.Metric{}} }

// maxMetrics is how many metrics there may be whose names labels make: what has as
// many values as a cluster has objects belongs in a tag.
const maxMetrics = 10_000

// metric returns the metric of a name, made like another if it is new. The error
// says that there are as many already as there may be. It allocates only for a new
// one.
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
			r.full = fmt.Errorf("metric %q: labels make no more than %d names", like.Name, most)
		}
		return nil, r.full
	}
	m = new(*like)
	m.Name = string(name)
	r.metrics[m.Name] = m
	return m, nil
}
