package compile

import (
	"github.com/kubestate/kubestate/agent/naming"
	"maps"
	"slices"
	"strings"
)

// The labels that name an owner.
const (
	CreatedByKind = "created_by_kind"
	CreatedByName = "created_by_name"
	OwnerKind     = "owner_kind"
	OwnerName     = "owner_name"
)

// Mapping says what becomes of labels of some families of one resource.
type Mapping struct {
	labels    map[string]string // label → tag
	override  map[string]string // what labels made of it → tag
	Hosts     []string          // tags that are hosts
	Owners    *naming.Owners
	Entity    []string // tags that describe the object
	UID       string   // the attribute for its UID
	Ambiguous bool     // objects may have the same tags
}

// UIDLabel is the label with the UID of an object.
const UIDLabel = "uid"

// Key returns the tag that a label becomes.
func (m *Mapping) Key(label string) string {
	if label == UIDLabel && m.UID != "" {
		return m.UID
	}
	if k, ok := m.labels[label]; ok {
		label = k
	}
	if k, ok := m.override[label]; ok {
		label = k
	}
	return label
}

// IsOwner reports whether a label says something about the owner, and becomes no
// tag itself.
func (m *Mapping) IsOwner(label string) bool {
	if m.Owners == nil {
		return false
	}
	switch label {
	case CreatedByKind, CreatedByName, OwnerKind, OwnerName:
		return true
	default:
		return label == m.Owners.RolloutLabel && label != ""
	}
}

// shared reports whether a tag bears on more than its own series.
func (m *Mapping) shared(key string) bool {
	return key != "" && (slices.Contains(m.Hosts, key) || slices.Contains(m.Entity, key))
}

// mappings makes the mappings of a naming scheme. Families of one resource that
// map alike have the same.
type mappings struct {
	scheme *naming.Scheme
	labels map[string]string
	made   map[mappingKey]*Mapping
}

type mappingKey struct{ resource, overrides string }

func newMappings(n *naming.Scheme, user map[string]string) *mappings {
	labels := maps.Clone(n.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, user)
	return &mappings{scheme: n, labels: labels, made: map[mappingKey]*Mapping{}}
}

// of returns the mapping of a family. Where several overrides change the same tag,
// the last wins.
func (x *mappings) of(resource, family string) *Mapping {
	override := map[string]string{}
	var prefixes []string
	for _, o := range x.scheme.Overrides {
		if strings.HasPrefix(family, o.Prefix) {
			maps.Copy(override, o.Tags)
			prefixes = append(prefixes, o.Prefix)
		}
	}
	k := mappingKey{resource, strings.Join(prefixes, "\x00")}
	m, ok := x.made[k]
	if !ok {
		m = &Mapping{labels: x.labels, override: override, Hosts: x.scheme.HostTags, Owners: x.scheme.Owners}
		if e := x.entity(resource); e != nil {
			m.Entity, m.UID = e.Tags, e.UID
		}
		x.made[k] = m
	}
	return m
}

func (x *mappings) entity(resource string) *naming.Entity {
	var found *naming.Entity
	for i := range x.scheme.Entities {
		switch e := &x.scheme.Entities[i]; e.Resource {
		case resource:
			return e
		case "*":
			found = e
		}
	}
	return found
}

// alike reports whether things may have the same tags although they differ in one of
// some labels. Of labels that name an owner it knows only whether kinds of owners
// have the same tag.
func (m *Mapping) alike(labels []string) bool {
	keys := map[string]bool{}
	for _, label := range labels {
		switch key := m.Key(label); {
		case m.IsOwner(label) && label != m.Owners.RolloutLabel:
			if len(m.Owners.Tags) > distinct(m.Owners.Tags) {
				return true
			}
		case m.IsOwner(label) || key == "" || keys[key]:
			return true
		default:
			keys[key] = true
		}
	}
	return false
}

// distinct returns how many values a map has.
func distinct(m map[string]string) int {
	values := map[string]bool{}
	for _, v := range m {
		values[v] = true
	}
	return len(values)
}

// LabelPlan says what becomes of an own label.
type LabelPlan struct {
	Key    string            // the tag; empty: none
	Bound  bool              // it bears on the whole block, whether or not it is a tag
	Shared bool              // it bears on the whole block
	values map[string]string // what stands for a value in the tag
}

// Shown returns what stands for a value in the tag.
func (o *LabelPlan) Shown(value string) string {
	if text, ok := o.values[value]; ok {
		return text
	}
	return value
}

// Plan says what becomes of an own label.
func (r *Rule) Plan(f *Family, label string) LabelPlan {
	key, renamed := r.tags.Rename[label]
	if !renamed {
		key = f.Mapping.Key(label)
	}
	if slices.Contains(r.tags.Drop, label) {
		key = ""
	}
	o := LabelPlan{Key: key, values: r.tags.Values[label], Bound: f.matched[label] || f.Mapping.IsOwner(label)}
	o.Shared = o.Bound || f.Mapping.shared(key)
	return o
}
