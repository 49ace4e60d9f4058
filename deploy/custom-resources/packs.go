// Package packs holds tested custom-resource-state configurations for widely used
// custom resources. They are files to copy from, and built into kubestate.
package packs

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names returns the names of all packs, in ascending order.
func Names() []string {
	entries, _ := files.ReadDir(".") // it is there
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
	}
	return names
}

// Read returns the configuration of a pack.
func Read(name string) ([]byte, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("invalid custom resource pack %q: must be one of %s", name, strings.Join(Names(), ", "))
	}
	return text, nil
}
