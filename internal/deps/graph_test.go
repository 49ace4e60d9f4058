package deps

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module, and root its directory as seen from here.
const (
	module = "github.com/kubestate/kubestate"
	root   = "../.."
)

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath                         string
	Name, Doc                          string
	Standard                           bool
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// graph is everything this module builds, by import path.
type graph map[string]*pkg

// load asks the go command for the packages of this module and all they import.
// It asks for packages with errors too (-e): an import cycle is best explained by
// the rule it breaks, and whatever else is wrong the compiler says.
func load(t *testing.T) graph {
	t.Helper()
	watchTree(t)
	fields := "-json=ImportPath,Name,Doc,Standard,GoFiles,Imports,TestImports,XTestImports"
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", fields, "./...")
	list.Dir = root
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	g := graph{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatalf("decode the output of go list: %v", err)
		}
		g[p.ImportPath] = p
	}
}

// watchTree reads every directory of the repository. `go test` repeats a cached
// result until something changes that the test itself has opened, and what a
// child process reads does not count.
func watchTree(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		if entry.Name() == ".git" || entry.Name() == "bin" {
			return fs.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	})
	if err != nil {
		t.Fatalf("walk the repository: %v", err)
	}
	return dirs
}

// own returns the packages of this module, sorted by import path.
func (g graph) own() []*pkg {
	var own []*pkg
	for path, p := range g {
		if path == module || strings.HasPrefix(path, module+"/") {
			own = append(own, p)
		}
	}
	slices.SortFunc(own, func(a, b *pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return own
}

// matching returns the packages of this module that match pattern.
func (g graph) matching(pattern string) []*pkg {
	return slices.DeleteFunc(g.own(), func(p *pkg) bool { return !matches(pattern, p.ImportPath) })
}

// matches says whether an import path matches a pattern of the rules.
func matches(pattern, path string) bool {
	if pattern == "." {
		return path == module
	}
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = module + "/" + rest
	}
	dir, tree := strings.CutSuffix(pattern, "/...")
	return path == dir || tree && strings.HasPrefix(path, dir+"/")
}

// standard says whether an import is part of the standard library. "C" is not
// listed by the go command.
func (g graph) standard(path string) bool {
	p := g[path]
	return p == nil || p.Standard
}

// reach returns what a package needs outside the standard library, nearest
// first, each with the import that led to it.
func (g graph) reach(from *pkg) (needed []string, via map[string]string) {
	via = map[string]string{}
	for p, i := from, 0; ; i++ {
		for _, path := range p.Imports {
			if _, seen := via[path]; !seen && !g.standard(path) && path != from.ImportPath {
				via[path] = p.ImportPath
				needed = append(needed, path)
			}
		}
		if i == len(needed) {
			return needed, via
		}
		p = g[needed[i]]
	}
}

// arrows writes the way to a package that was reached.
func arrows(path string, via map[string]string) string {
	way := short(path)
	for path = via[path]; path != ""; path = via[path] {
		way = short(path) + " → " + way
	}
	return way
}

// short writes a path of this module as the rules do.
func short(path string) string {
	if path == module {
		return "."
	}
	if rest, ok := strings.CutPrefix(path, module+"/"); ok {
		return "./" + rest
	}
	return path
}
