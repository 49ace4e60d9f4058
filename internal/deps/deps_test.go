package deps

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOnlyImports(t *testing.T) {
	g := load(t)
	for _, rule := range onlyImports {
		for _, p := range g.matching(rule.from) {
			for _, path := range p.Imports {
				allowed := func(pattern string) bool { return matches(pattern, path) }
				if !g.standard(path) && !slices.ContainsFunc(rule.may, allowed) {
					t.Errorf("%s imports %s, which is not among what it may import: %s",
						short(p.ImportPath), short(path), rule.reason)
				}
			}
		}
	}
}

func TestBans(t *testing.T) {
	g := load(t)
	for _, ban := range bans {
		for _, p := range g.matching(ban.from) {
			needed, via := g.reach(p)
			banned := func(path string) bool { return matches(ban.to, path) && !excepted(ban.from, path) }
			if i := slices.IndexFunc(needed, banned); i >= 0 {
				t.Errorf("%s must not reach %s: %s\n\t%s",
					short(p.ImportPath), ban.to, ban.reason, arrows(needed[i], via))
			}
		}
	}
}

// excepted says whether an exception lets the packages of a ban reach path.
func excepted(from, path string) bool {
	for _, e := range exceptions {
		if e.from == from && matches(e.to, path) {
			return true
		}
	}
	return false
}

func TestOnlyImportedBy(t *testing.T) {
	g := load(t)
	for _, rule := range onlyImportedBy {
		for _, p := range g.own() {
			may := func(pattern string) bool { return matches(pattern, p.ImportPath) }
			// What a door leads to may have inner doors.
			if slices.ContainsFunc(rule.by, may) || matches(rule.to, p.ImportPath) {
				continue
			}
			for _, path := range p.Imports {
				if matches(rule.to, path) {
					t.Errorf("%s imports %s, which only %s may: %s", short(p.ImportPath), short(path),
						strings.Join(append(rule.by, "tests"), ", "), rule.reason)
				}
			}
		}
	}
}

// Tests may import across the directions, with one exception: a test that needs
// the command's packages is a test of the command.
func TestNoTestImportsTheCommand(t *testing.T) {
	for _, p := range load(t).own() {
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if matches("./cmd/...", path) && path != p.ImportPath {
				t.Errorf("a test of %s imports %s; put it beside the command", short(p.ImportPath), short(path))
			}
		}
	}
}

func TestRootIsLight(t *testing.T) {
	g := load(t)
	for _, p := range g.matching(".") {
		if needed, _ := g.reach(p); len(needed) >= rootLimit {
			t.Errorf("the root package needs %d packages outside the standard library, the limit is %d", len(needed), rootLimit)
		}
	}
}

// A rule about a package that was renamed would hold for ever.
func TestRulesNamePackagesThatExist(t *testing.T) {
	g := load(t)
	own := map[string]bool{}
	for _, rule := range onlyImports {
		own[rule.from] = true
		for _, pattern := range rule.may {
			own[pattern] = true
		}
	}
	for _, ban := range bans {
		own[ban.from], own[ban.to] = true, true
	}
	for _, e := range exceptions {
		own[e.from], own[e.to] = true, true
	}
	for _, rule := range onlyImportedBy {
		own[rule.to] = true
		for _, pattern := range rule.by {
			own[pattern] = true
		}
	}
	for pattern := range own {
		if !strings.HasPrefix(pattern, ".") || pattern == "./test/..." {
			continue // what others publish, and modules of their own
		}
		exists, expected := len(g.matching(pattern)) > 0, slices.Contains(toCome, pattern)
		if !exists && !expected {
			t.Errorf("a rule names %s, which matches no package", pattern)
		}
		if exists && expected {
			t.Errorf("%s exists now: remove it from toCome", pattern)
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range load(t).own() {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:] + " "
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("the package comment of %s begins %q; want what it is for, beginning %q", short(p.ImportPath), p.Doc, want)
		}
	}
}

func TestDirectoryNames(t *testing.T) {
	for _, dir := range watchTree(t) {
		if slices.Contains(emptyNames, filepath.Base(dir)) {
			t.Errorf("%s: name the package after what it is about", strings.TrimPrefix(dir, root+"/"))
		}
	}
}
