package compile

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
)

// Labels that name an owner.
const (
	CreatedByKind = "created_by_kind"
	CreatedByName = "created_by_name"
	OwnerKind     = "owner_kind"
	OwnerName     = "owner_name"
)

// Mapping maps labels of some families of a resource to tags.
type Mapping struct {
	labels    map[string]string // label → tag
	override  map[string]string // tag according to labels → tag
	Hosts     []string          // tags whose value is the host
	Owners    *naming.Owners
	Entity    []string // tags that describe the object
	UID       string   // the attribute for its UID
	Ambiguous bool     // objects may have the same tags
}

// UIDLabel is the label that has the UID of an object.
const UIDLabel = "uid"

// Key returns the tag key for a label.
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

// IsOwner reports whether a label describes the owner; such labels do not become tags
// themselves.
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

// shared reports whether a tag affects more than its own series.
func (m *Mapping) shared(key string) bool {
	return key != "" && (slices.Contains(m.Hosts, key) || slices.Contains(m.Entity, key))
}

// mappings builds the mappings of a naming scheme. Families of a resource that map labels
// the same way share a mapping.
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

// of returns the mapping of a family. If several overrides change the same tag, the last
// one wins.
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

// alike reports whether samples that differ in one of the labels may have the same tags. For
// labels that name an owner it only checks whether kinds of owners share a tag.
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

// distinct returns the number of distinct values of a map.
func distinct(m map[string]string) int {
	values := map[string]bool{}
	for _, v := range m {
		values[v] = true
	}
	return len(values)
}

// LabelPlan says how a sample's own label becomes a tag.
type LabelPlan struct {
	Key    string            // the tag; empty: none
	Bound  bool              // the label affects the whole block, even if it is not a tag
	Shared bool              // the label affects the whole block
	values map[string]string // tag values by label value
}

// Shown returns the tag value for a label value.
func (o *LabelPlan) Shown(value string) string {
	if text, ok := o.values[value]; ok {
		return text
	}
	return value
}

// Plan returns the plan of a sample's own label.
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
