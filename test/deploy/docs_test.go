package deploy

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// pages returns the documents that a person reads, by path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"docs", "deploy", "README.md", "CONTRIBUTING.md"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
				return err
			}
			data, err := os.ReadFile(path)
			all[path] = string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Every link to a file or a section of one leads somewhere.
func TestLinks(t *testing.T) {
	all := pages(t)
	code, link := regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`"), regexp.MustCompile(`\]\(([^)\s]+)\)`)
	n := 0
	for path, text := range all {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			target := m[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue // a test needs no network
			}
			n++
			file, section, _ := strings.Cut(target, "#")
			linked := filepath.Join(filepath.Dir(path), file)
			if file == "" {
				linked = path
			}
			if _, err := os.Stat(linked); err != nil {
				t.Errorf("%s: link to %s: no such file", path, target)
				continue
			}
			if section != "" && !slices.Contains(sections(all[linked]), section) {
				t.Errorf("%s: link to %s: no such section", path, target)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d links found", n)
	}
}

// sections returns the anchors of the headings of a page, as GitHub makes them.
func sections(text string) []string {
	heading, dropped := regexp.MustCompile(`(?m)^#+ +(.*)$`), regexp.MustCompile(`[^\pL\pN _-]`)
	var all []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), ""), " ", "-"))
	}
	return all
}

// Every command of the pages that a newcomer walks works as written, except those
// that are marked as needing a cluster or a release. Of make only the target is checked:
// the targets have tests of their own.
func TestCommandsOfPages(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/kubestate")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	block := regexp.MustCompile("(?ms)^```sh\n(.*?)^```")
	for _, page := range []string{"install", "migrate", "troubleshooting"} {
		data, err := os.ReadFile(root + "/docs/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		run := 0
		for _, m := range block.FindAllStringSubmatch(string(data), -1) {
			for line := range strings.Lines(m[1]) {
				line = strings.TrimSpace(line)
				if strings.Contains(line, "# needs a ") {
					continue
				}
				run++
				if target, isMake := strings.CutPrefix(line, "make "); isMake {
					if name := strings.Fields(target)[0]; !strings.Contains(string(makefile), "\n"+name+":") {
						t.Errorf("docs/%s.md: make has no target %s", page, name)
					}
					continue
				}
				c := exec.CommandContext(t.Context(), "sh", "-c", line)
				c.Dir, c.Env = work, append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("docs/%s.md: %s: %v\n%s", page, line, err, out)
				}
			}
		}
		if run == 0 {
			t.Errorf("docs/%s.md: no command was run", page)
		}
	}
}
