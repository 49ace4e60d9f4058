// Command gen writes what is generated from the catalog: docs/reference and the
// ClusterRole. It is run at the root of the repository by make generate.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubestate/kubestate/internal/reference"
	"github.com/kubestate/kubestate/kind"
)

func main() {
	if err := generate("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

const stablePath = "docs/reference/stable.txt"

// generate writes all files below root.
func generate(root string) error {
	tables := kind.All()
	catalog, err := reference.JSON(tables)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"docs/reference/metrics.json":     catalog,
		stablePath:                        reference.Stable(tables),
		"docs/reference/metrics/index.md": reference.Index(tables),
		"deploy/clusterrole.yaml":         reference.ClusterRole(kind.Defaults()),
		"deploy/clusterrole-all.yaml":     reference.ClusterRole(tables),
	}
	for _, t := range tables {
		files["docs/reference/metrics/"+t.Name+".md"] = reference.Markdown(t)
	}
	if err := keepsPromise(filepath.Join(root, stablePath), files[stablePath]); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(root, "docs/reference/metrics")); err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// keepsPromise fails if a line of the list of stable families at path is not in
// next: name, type and labels of such a family never change.
func keepsPromise(path string, next []byte) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var broken []error
	for line := range strings.Lines(string(old)) {
		if !bytes.Contains(next, []byte(line)) {
			broken = append(broken, fmt.Errorf("stable family changed or gone, which breaks dashboards and alerts: %s", strings.TrimSpace(line)))
		}
	}
	return errors.Join(broken...)
}
