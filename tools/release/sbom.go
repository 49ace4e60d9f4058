package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// billOfMaterials returns what the program was built from, as CycloneDX JSON: the
// modules that the toolchain recorded in it, and the standard library.
func (s source) billOfMaterials(p platform, binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read build information: %w", err)
	}
	program := cdx.Component{
		BOMRef: "kubestate", Type: cdx.ComponentTypeApplication, Name: "kubestate", Version: s.version,
		PackageURL: "pkg:golang/" + info.Main.Path + "@" + s.version + "?goos=" + p.os + "&goarch=" + p.arch,
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
	}
	components := []cdx.Component{library("std", info.GoVersion)}
	for _, m := range info.Deps {
		components = append(components, library(module(m)))
	}
	refs := make([]string, len(components))
	for i, c := range components {
		refs[i] = c.BOMRef
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: s.time.Format(time.RFC3339), Component: &program}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: program.BOMRef, Dependencies: &refs}}
	var buf bytes.Buffer
	err = cdx.NewBOMEncoder(&buf, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return buf.Bytes(), err
}

// module returns the path and version of what was really built.
func module(m *debug.Module) (path, version string) {
	if m.Replace != nil {
		m = m.Replace
	}
	return m.Path, m.Version
}

func library(path, version string) cdx.Component {
	url := "pkg:golang/" + path + "@" + version
	return cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
}
