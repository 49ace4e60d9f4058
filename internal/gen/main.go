// Command gen writes what is generated from the program: docs/reference, the JSON
// schemas in it, and the ClusterRole. It is run at the root of the repository by
// make generate.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/reference"
	"github.com/kubestate/kubestate/kind"
)

func main() {
	if err := generate(".", "."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

const stablePath = "docs/reference/stable.txt"

// generate writes all files below root. source is the directory of the module.
func generate(source, root string) error {
	tables := kind.All()
	catalog, err := reference.JSON(tables)
	if err != nil {
		return err
	}
	schema, namesSchema, err := schemas(source)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"docs/reference/metrics.json":       catalog,
		stablePath:                          reference.Stable(tables),
		"docs/reference/metrics/index.md":   reference.Index(tables),
		"docs/reference/config.schema.json": schema,
		"docs/reference/names.schema.json":  namesSchema,
		"deploy/clusterrole.yaml":           reference.ClusterRole(kind.Defaults()),
		"deploy/clusterrole-all.yaml":       reference.ClusterRole(tables),
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

// schemas returns the JSON schemas of the configuration file and of naming tables.
func schemas(source string) (config, names []byte, err error) {
	docs := newFieldDocs(source)
	config, err1 := conf.JSONSchema(docs.of)
	names, err2 := agentconf.NamesJSONSchema(docs.of)
	return config, names, errors.Join(err1, err2, docs.err)
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
