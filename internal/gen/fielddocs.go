package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
)

const modulePath = "github.com/kubestate/kubestate"

// fieldDocs are the comments of structs and their fields, which say to users of
// the configuration file what they say to programmers.
type fieldDocs struct {
	source string                       // the directory of the module
	read   map[string]map[string]string // by package, then "Type" or "Type.Field"
	err    error                        // the first
}

func newFieldDocs(source string) *fieldDocs {
	return &fieldDocs{source: source, read: map[string]map[string]string{}}
}

// of returns the comment of a field, or of the struct where field is empty.
func (d *fieldDocs) of(t reflect.Type, field string) string {
	docs, ok := d.read[t.PkgPath()]
	if !ok {
		var err error
		if docs, err = readDocs(filepath.Join(d.source, strings.TrimPrefix(t.PkgPath(), modulePath))); err != nil && d.err == nil {
			d.err = fmt.Errorf("read the comments of %s: %w", t.PkgPath(), err)
		}
		d.read[t.PkgPath()] = docs
	}
	if field == "" {
		return docs[t.Name()]
	}
	return docs[t.Name()+"."+field]
}

func readDocs(dir string) (map[string]string, error) {
	docs := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if group, ok := decl.(*ast.GenDecl); ok {
				addTypes(docs, group)
			}
		}
	}
	return docs, nil
}

func addTypes(docs map[string]string, group *ast.GenDecl) {
	for _, spec := range group.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		s, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		docs[t.Name.Name] = comment(group.Doc, t.Doc)
		for _, f := range s.Fields.List {
			for _, name := range f.Names {
				docs[t.Name.Name+"."+name.Name] = comment(f.Doc, f.Comment)
			}
		}
	}
}

// comment returns the first of comments that says something, on one line.
func comment(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}
