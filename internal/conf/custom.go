package conf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kubestate/kubestate/customresource"
	packs "github.com/kubestate/kubestate/deploy/custom-resources"
	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/metric"
)

// Configured reports whether any metrics of custom resources are asked for.
func (c *CustomResourceOptions) Configured() bool {
	return c.Inline != "" || len(c.Files) > 0 || len(c.Packs) > 0
}

// customResources reads the configuration of custom resources; nil if none is asked for.
// The problems are about what cannot be read at all: those of single entries are in the
// configuration.
func (o *Options) customResources() (*customresource.Config, problem.List) {
	c := &o.Custom
	if !c.Configured() {
		return nil, nil
	}
	var sources []customresource.Source
	var problems problem.List
	if c.Inline != "" { // it overrides the files, as in kube-state-metrics
		sources = append(sources, customresource.Source{Name: "--custom-resource-state-config", Text: []byte(c.Inline)})
	} else {
		sources, problems = o.customFiles()
	}
	for _, name := range c.Packs {
		if text, err := packs.Read(name); err == nil {
			sources = append(sources, customresource.Source{Name: "--custom-resource-pack " + name, Text: text})
		}
	}
	var taken []metric.Desc
	for _, t := range o.kinds() {
		taken = append(taken, t.Schema().Families...)
	}
	config, err := customresource.ParseNextTo(taken, sources...)
	return config, append(problems, problem.Of(err)...)
}

// customFiles reads the files with configurations.
func (o *Options) customFiles() (sources []customresource.Source, problems problem.List) {
	const flag = "custom-resource-state-config-file"
	for _, name := range o.Custom.Files {
		files, err := configFiles(name)
		for _, file := range files {
			var text []byte
			if text, err = bounded.ReadFile(file, bounded.Config); err != nil {
				break
			}
			sources = append(sources, customresource.Source{Name: file, Text: text})
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) && o.Custom.ContinueWithout:
			o.warned = append(o.warned, "--"+flag+": "+problem.Cut(err.Error())+"; continuing without it")
		case err != nil:
			problems = append(problems, o.placed(problem.New("cannot read file", problem.Cut(err.Error())), flag))
		}
	}
	return sources, problems
}

// configFiles returns the files that a name stands for: those of a directory, or itself.
func configFiles(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return []string{name}, nil // reading it reports what is wrong
	}
	var files []string
	for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
		found, err := filepath.Glob(filepath.Join(name, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return files, nil
}

func (o *Options) checkPacks() (problems problem.List) {
	for _, name := range o.Custom.Packs {
		problems = append(problems, checkOneOf("custom resource pack", name, packs.Names())...)
	}
	return problems
}
