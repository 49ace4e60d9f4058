package compile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/internal/cache"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// This file selects and compiles joins.

// chooseJoins merges the joins of the naming scheme, of the user, and of labels and
// annotations as tags.
func (p *compiler) chooseJoins() {
	p.joins = maps.Clone(p.scheme.Joins)
	if p.joins == nil {
		p.joins = map[string]naming.Join{}
	}
	maps.Copy(p.joins, p.config.Joins)
	for family, labels := range p.scheme.AlwaysGet {
		if j, ok := p.joins[family]; ok && !j.GetsAll() && !j.Empty() {
			j.Get = append(slices.Clip(j.Get), labels...)
			p.joins[family] = j
		}
	}
	maps.DeleteFunc(p.joins, func(_ string, j naming.Join) bool { return j.Empty() })
	p.joinKeys(p.byFamily(metric.Labels, p.config.LabelsAsTags))
	annotations := p.byFamily(metric.Annotations, p.scheme.AnnotationsAsTags)
	for family, user := range p.byFamily(metric.Annotations, p.config.AnnotationsAsTags) {
		if user.tags != nil {
			maps.Copy(user.tags, annotations[family].tags)
		}
		annotations[family] = user
	}
	p.joinKeys(annotations)
	for _, family := range slices.Sorted(maps.Keys(p.joins)) {
		if p.known[family] == nil {
			p.unknown("join: family %q does not exist", family)
			delete(p.joins, family)
		}
	}
}

// keyTags maps label or annotation keys of a kind to tags.
type keyTags struct {
	table  *kind.Table
	family *metric.Desc // that has them
	tags   map[string]string
}

// byFamily returns labels or annotations as tags by family, as a kind has several names. It
// keeps nil values.
func (p *compiler) byFamily(list metric.AllowList, asTags map[string]map[string]string) map[string]keyTags {
	families := map[string]keyTags{}
	for _, kindName := range slices.Sorted(maps.Keys(asTags)) {
		t, family := p.tableOf(kindName, list)
		if t == nil {
			p.unknown("labels and annotations as tags: kind %q does not exist", kindName)
			continue
		}
		k, ok := families[family.Name]
		if !ok || k.tags == nil {
			families[family.Name] = keyTags{t, family, maps.Clone(asTags[kindName])}
		} else {
			maps.Copy(k.tags, asTags[kindName])
		}
	}
	return families
}

// joinKeys adds the joins that implement labels or annotations as tags.
func (p *compiler) joinKeys(families map[string]keyTags) {
	for family, k := range families {
		if len(k.tags) == 0 {
			continue
		}
		j, ok := p.joins[family]
		if !ok {
			j.Match = keyLabels(k.table)
		}
		j.Tags = maps.Clone(j.Tags)
		if j.Tags == nil {
			j.Tags = map[string]string{}
		}
		j.Get = slices.Clone(j.Get)
		for _, key := range slices.Sorted(maps.Keys(k.tags)) {
			if key == "*" {
				j.All, j.Template = true, k.tags[key]
				continue
			}
			label := k.family.Prefix + "_" + metric.DeriveName(key)
			j.Get = append(j.Get, label)
			j.Tags[label] = k.tags[key]
		}
		p.joins[family] = j
	}
}

// tableOf returns the table of a kind and its family with labels or annotations. A
// kind is named as its families do ("pod"), or as the API does.
func (p *compiler) tableOf(name string, list metric.AllowList) (*kind.Table, *metric.Desc) {
	for _, t := range append(slices.Clone(p.tables), kind.All()...) {
		s := t.Schema()
		for i := range s.Families {
			d := &s.Families[i]
			if d.AllowList != list {
				continue
			}
			middle := strings.TrimSuffix(strings.TrimPrefix(d.Name, "kube_"), "_"+d.Prefix+"s")
			if name == middle || name == t.Name || name == strings.ToLower(t.Kind) {
				return t, d
			}
		}
	}
	return nil, nil
}

// keyLabels returns the labels that identify the objects of a table.
func keyLabels(t *kind.Table) []string {
	var labels []string
	for _, l := range t.Schema().Identity {
		if l.Name != UIDLabel {
			labels = append(labels, l.Name)
		}
	}
	return labels
}

// compileJoins compiles the joins that have an effect.
func (p *compiler) compileJoins() {
	byMatch := map[string]int{}
	for _, family := range slices.Sorted(maps.Keys(p.joins)) {
		t := p.known[family]
		if !slices.ContainsFunc(p.tables, func(x *kind.Table) bool { return x.Name == t.Name }) {
			continue // nobody reads its objects
		}
		j, err := compileJoin(family, p.joins[family])
		if err != nil {
			p.errs = append(p.errs, err)
			continue
		}
		j.Resource = t.Name
		j.Reflexive = len(keyLabels(t)) > 0 && subset(keyLabels(t), j.Match) && subset(j.Match, identityOf(t))
		if p.matchesOthers(j) {
			key := strings.Join(j.Match, " ")
			i, ok := byMatch[key]
			if !ok {
				i, byMatch[key] = len(p.program.Matches), len(p.program.Matches)
				p.program.Matches = append(p.program.Matches, j.Match)
			}
			j.Index = i
		}
		if j.Index >= 0 || j.Reflexive && p.useful(t) {
			j.Number = len(p.program.Joins)
			p.program.Joins = append(p.program.Joins, j)
		}
	}
}

func compileJoin(family string, j naming.Join) (*Join, error) {
	c := &Join{
		family: family, Index: -1, Match: slices.Compact(slices.Sorted(slices.Values(j.Match))), All: j.GetsAll(),
		get: map[string]string{}, template: j.Template, named: cache.New[string, string](maxNamed),
	}
	for _, label := range j.Get {
		if label != "*" {
			c.get[label] = label
		}
	}
	for label, tag := range j.Tags {
		if tag == "" {
			return nil, fmt.Errorf("join %s: label %s: empty tag name", family, label)
		}
		c.get[label] = tag
	}
	if len(c.get) == 0 && !c.All {
		return nil, fmt.Errorf("join %s: no labels to get", family)
	}
	return c, nil
}

func identityOf(t *kind.Table) []string {
	var labels []string
	for _, l := range t.Schema().Identity {
		labels = append(labels, l.Name)
	}
	return labels
}

// labelsOf returns the labels that samples of a family have, as far as the catalog
// knows.
func labelsOf(t *kind.Table, d *metric.Desc) []string {
	labels := identityOf(t)
	for _, l := range d.Labels {
		labels = append(labels, l.Name)
	}
	return labels
}

func subset(some, of []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(of, s) })
}

// coverable reports whether something with these labels can match. Labels that no
// family of the catalog declares may be on any sample.
func (p *compiler) coverable(match, labels []string) bool {
	return !slices.ContainsFunc(match, func(m string) bool { return !slices.Contains(labels, m) && p.declared[m] })
}

// brought returns the tags that samples of a family may get from other objects, and
// from owners that joins name. What * brings is not among them: that can be anything.
func (p *compiler) brought(t *kind.Table, f *Family) map[string]bool {
	tags := map[string]bool{}
	for _, j := range p.program.Joins {
		if !p.coverable(j.Match, labelsOf(t, f.desc)) {
			continue
		}
		for _, name := range j.get {
			switch {
			case f.Mapping.IsOwner(name):
				for _, tag := range f.Mapping.Owners.Tags {
					tags[tag] = true
				}
				tags[f.Mapping.Owners.RolloutTag] = true
			case t.Name != j.Resource || !j.Reflexive:
				tags[f.Mapping.Key(name)] = true
			}
		}
	}
	return tags
}

// declaredLabels returns all labels that families of the tables declare.
func declaredLabels(tables []*kind.Table) map[string]bool {
	declared := map[string]bool{}
	for _, t := range tables {
		s := t.Schema()
		for i := range s.Families {
			for _, l := range s.LabelNames(i) {
				declared[l] = true
			}
		}
	}
	return declared
}

// useful reports whether objects of a table have anything for which labels matter
// that they give themselves.
func (p *compiler) useful(t *kind.Table) bool {
	s := t.Schema()
	for i := range s.Families {
		d := &s.Families[i]
		joined := slices.ContainsFunc(p.totals[d.Name], func(a *naming.Aggregate) bool { return a.Joined })
		if joined || len(p.rulesOf(t, d)) > 0 {
			return true
		}
	}
	return false
}

// matchesOthers reports whether a join can bring labels to anything but the object
// that gives them.
func (p *compiler) matchesOthers(j *Join) bool {
	for _, t := range p.tables {
		if t.Name == j.Resource && j.Reflexive {
			continue
		}
		s := t.Schema()
		for i := range s.Families {
			if d := &s.Families[i]; len(p.rulesOf(t, d)) > 0 && p.coverable(j.Match, labelsOf(t, d)) {
				return true
			}
		}
	}
	for _, totals := range p.totals {
		for _, a := range totals {
			if p.coverable(j.Match, a.By) {
				return true
			}
		}
	}
	return false
}
