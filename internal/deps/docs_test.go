package deps

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goMod is what the go command reads in a go.mod.
type goMod struct {
	Require []requirement
	Tool    []struct{ Path string }
}

type requirement struct {
	Path     string
	Indirect bool
}

// modules returns the go.mod files of the repository by directory.
func modules(t *testing.T) map[string]goMod {
	t.Helper()
	found := map[string]goMod{}
	for _, dir := range watchTree(t) {
		file := filepath.Join(dir, "go.mod")
		if _, err := os.Stat(file); err != nil {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", file).Output()
		if err != nil {
			t.Fatalf("go mod edit -json %s: %v", file, err)
		}
		var mod goMod
		if err := json.Unmarshal(out, &mod); err != nil {
			t.Fatalf("decode %s: %v", file, err)
		}
		found[strings.TrimPrefix(strings.TrimPrefix(dir, root), "/")] = mod
	}
	return found
}

// documented returns the modules in the first column of the tables of
// docs/dependencies.md, by the directory that the heading above names.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	heading, row := regexp.MustCompile("^## .*`([^`]*)go\\.mod`"), regexp.MustCompile("^\\| `([^`]+)`")
	found, dir := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			dir = strings.TrimSuffix(m[1], "/")
			found[dir] = nil
		}
		if m := row.FindStringSubmatch(line); m != nil {
			found[dir] = append(found[dir], m[1])
		}
	}
	return found
}

// docs/dependencies.md gives the reason for every module we ask for, and for
// none that we no longer ask for.
func TestDependenciesAreDocumented(t *testing.T) {
	docs, mods := documented(t), modules(t)
	for _, dir := range slices.Sorted(maps.Keys(mods)) {
		mod, named := mods[dir], docs[dir]
		for _, require := range mod.Require {
			if !require.Indirect && !strings.HasPrefix(require.Path, module) && !slices.Contains(named, require.Path) {
				t.Errorf("docs/dependencies.md does not say why %s requires %s", filepath.Join(dir, "go.mod"), require.Path)
			}
		}
		for _, tool := range mod.Tool {
			provides := func(path string) bool { return strings.HasPrefix(tool.Path+"/", path+"/") }
			if !slices.ContainsFunc(named, provides) {
				t.Errorf("docs/dependencies.md does not say why %s has the tool %s", filepath.Join(dir, "go.mod"), tool.Path)
			}
		}
		for _, path := range named {
			if !slices.ContainsFunc(mod.Require, func(r requirement) bool { return r.Path == path }) {
				t.Errorf("docs/dependencies.md names %s, which %s does not require", path, filepath.Join(dir, "go.mod"))
			}
		}
	}
	for dir := range docs {
		if _, ok := mods[dir]; !ok {
			t.Errorf("docs/dependencies.md has a section on %s, which does not exist", filepath.Join(dir, "go.mod"))
		}
	}
}
