package customresource

import (
	"cmp"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestate/kubestate/kind"
)

// Tables makes the tables of the resources that a cluster serves, as that changes. It is
// not safe for concurrent use.
type Tables struct {
	config  *Config
	skipped Skipped
	made    []madeTable
}

type madeTable struct {
	Served

	table *kind.Table
}

// NewTables returns Tables of a configuration.
func NewTables(c *Config, skipped Skipped) *Tables { return &Tables{config: c, skipped: skipped} }

// With returns Tables of another configuration. Entries that are the same in both keep the
// tables that t has for them. A nil t has none; t is not changed.
func (t *Tables) With(c *Config, skipped Skipped) *Tables {
	next := NewTables(c, skipped)
	if t == nil {
		return next
	}
	known := map[string]*Resource{}
	for _, r := range t.config.Resources {
		known[r.text] = r
	}
	config := *c
	config.Resources = slices.Clone(c.Resources)
	for i, r := range config.Resources {
		if before := known[r.text]; before != nil && slices.EqualFunc(before.families, r.families, (*family).sameDesc) {
			config.Resources[i] = before
		}
	}
	next.config, next.made = &config, slices.Clone(t.made)
	return next
}

// sameDesc reports whether two families are described alike, which depends on other entries.
func (f *family) sameDesc(other *family) bool {
	return f.desc.Name == other.desc.Name && f.desc.Type == other.desc.Type && f.desc.Help == other.desc.Help && f.desc.Unit == other.desc.Unit
}

// For returns a table for each resource that the configuration is about, given what a
// cluster serves, as Config.Resolve orders them. A resource has the same table as at the
// last call unless it changed. Unmatched are the entries that match nothing now. The error
// is about resources that can have no table; the others have theirs.
func (t *Tables) For(available []kind.Resource) (tables []*kind.Table, unmatched []*Resource, err error) {
	served, unmatched := t.config.Resolve(available)
	made := make([]madeTable, 0, len(served))
	for i := range served {
		s := &served[i]
		before := slices.IndexFunc(t.made, func(m madeTable) bool { return m.equal(s) })
		if before >= 0 {
			made = append(made, t.made[before])
			continue
		}
		table, wrong := s.Table(t.skipped)
		if wrong != nil {
			err = errors.Join(err, wrong)
			continue
		}
		made = append(made, madeTable{*s, table})
	}
	t.made = made
	for i := range made {
		tables = append(tables, made[i].table)
	}
	return tables, unmatched, err
}

// TableOf returns the table of a kind, for where no cluster says how the kind is served;
// nil if the configuration is not about it. Its plural is that of the entry or the usual
// one.
func (c *Config) TableOf(gvk schema.GroupVersionKind, skipped Skipped) (*kind.Table, error) {
	s := Served{Resource: kind.Resource{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespaced: true}}
	for _, r := range c.Resources {
		if r.GVK.Group != gvk.Group || !like(r.GVK.Version, gvk.Version) || !like(r.GVK.Kind, gvk.Kind) {
			continue
		}
		s.Entries = append(s.Entries, r)
		if r.Plural != "" && r.Plural != wildcard {
			s.Name = r.Plural
		}
	}
	if len(s.Entries) == 0 {
		return nil, nil //nolint:nilnil // the configuration is not about it
	}
	if s.Name == "" {
		s.Name = wildcard
		if gvk.Kind != wildcard {
			s.Name = plural(gvk.Kind)
		}
	}
	return s.Table(skipped)
}

// TablesByName returns a table for each kind that the configuration names, in the order of
// its entries, with * for what an entry leaves open. They are for documentation.
func (c *Config) TablesByName() (tables []*kind.Table, err error) {
	seen := map[schema.GroupVersionKind]bool{}
	for _, r := range c.Resources {
		gvk := schema.GroupVersionKind{Group: r.GVK.Group, Version: cmp.Or(r.GVK.Version, wildcard), Kind: cmp.Or(r.GVK.Kind, wildcard)}
		if seen[gvk] {
			continue
		}
		seen[gvk] = true
		t, wrong := c.TableOf(gvk, nil)
		if wrong != nil {
			err = errors.Join(err, wrong)
			continue
		}
		tables = append(tables, t)
	}
	return tables, err
}

// equal reports whether two resources have the same table.
func (s *Served) equal(other *Served) bool {
	return s.GroupVersionKind() == other.GroupVersionKind() && s.Name == other.Name && s.Namespaced == other.Namespaced &&
		slices.Equal(s.Entries, other.Entries)
}
