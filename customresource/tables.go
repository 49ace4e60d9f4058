package customresource

import (
	"errors"
	"slices"

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

// equal reports whether two resources have the same table.
func (s *Served) equal(other *Served) bool {
	return s.GroupVersionKind() == other.GroupVersionKind() && s.Name == other.Name && s.Namespaced == other.Namespaced &&
		slices.Equal(s.Entries, other.Entries)
}
