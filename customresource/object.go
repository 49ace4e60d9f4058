package customresource

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// maxDepth bounds the nesting of an object that is decoded.
const maxDepth = 1000

// Object is a custom resource: its metadata and, of its other fields, those that
// the table reads.
type Object struct {
	metav1.ObjectMeta

	gvk    schema.GroupVersionKind
	fields *fields
	root   map[string]any
}

// GetObjectKind returns the group, version and kind.
func (o *Object) GetObjectKind() schema.ObjectKind { return o }

// SetGroupVersionKind replaces the group, version and kind.
func (o *Object) SetGroupVersionKind(gvk schema.GroupVersionKind) { o.gvk = gvk }

// GroupVersionKind returns the group, version and kind.
func (o *Object) GroupVersionKind() schema.GroupVersionKind { return o.gvk }

// DeepCopyObject returns a copy that shares nothing that can change: decoded values
// are never changed.
func (o *Object) DeepCopyObject() runtime.Object {
	c := *o
	c.ObjectMeta = *o.DeepCopy()
	return &c
}

// Unmarshal fails: the API serves custom resources as JSON only.
func (*Object) Unmarshal([]byte) error {
	return errors.New("custom resources have no protobuf form")
}

// UnmarshalJSON decodes the fields that the table reads and skips the others.
func (o *Object) UnmarshalJSON(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	v, err := o.fields.decode(d, 0)
	if err != nil {
		return fmt.Errorf("decode custom resource: %w", err)
	}
	root, ok := v.(map[string]any)
	if !ok {
		return errors.New("decode custom resource: not an object")
	}
	o.root = root
	o.setMeta()
	return nil
}

// setMeta fills the metadata from the fields.
func (o *Object) setMeta() {
	m, _ := o.root["metadata"].(map[string]any)
	o.ObjectMeta = metav1.ObjectMeta{
		Name: stringOf(m["name"]), Namespace: stringOf(m["namespace"]), UID: types.UID(stringOf(m["uid"])),
		ResourceVersion: stringOf(m["resourceVersion"]), Labels: stringsOf(m["labels"]), Annotations: stringsOf(m["annotations"]),
	}
	o.Generation, _ = m["generation"].(int64)
	if t := timeOf(m["creationTimestamp"]); t != nil {
		o.CreationTimestamp = *t
	}
	o.DeletionTimestamp = timeOf(m["deletionTimestamp"])
	owners, _ := m["ownerReferences"].([]any)
	for _, v := range owners {
		owner, _ := v.(map[string]any)
		r := metav1.OwnerReference{
			APIVersion: stringOf(owner["apiVersion"]), Kind: stringOf(owner["kind"]), Name: stringOf(owner["name"]), UID: types.UID(stringOf(owner["uid"])),
		}
		if controller, ok := owner["controller"].(bool); ok {
			r.Controller = &controller
		}
		o.OwnerReferences = append(o.OwnerReferences, r)
	}
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

func stringsOf(v any) map[string]string {
	m, _ := v.(map[string]any)
	if m == nil {
		return nil
	}
	all := make(map[string]string, len(m))
	for key, value := range m {
		all[key] = stringOf(value)
	}
	return all
}

func timeOf(v any) *metav1.Time {
	t, err := time.Parse(time.RFC3339, stringOf(v))
	if err != nil {
		return nil
	}
	return &metav1.Time{Time: t}
}

// fields says which members of an object are decoded. The nil fields are none. What
// is said of a list holds for each element.
type fields struct {
	all     bool
	members map[string]*fields
}

// metaFields are what setMeta reads.
var metaFields = [...]string{ //nolint:gochecknoglobals // never changed
	"name", "namespace", "uid", "resourceVersion", "labels", "annotations", "generation",
	"creationTimestamp", "deletionTimestamp", "ownerReferences",
}

func newFields() *fields {
	f := &fields{}
	for _, name := range metaFields {
		f.member("metadata").member(name).all = true
	}
	return f
}

func (f *fields) member(name string) *fields {
	if f.members == nil {
		f.members = map[string]*fields{}
	}
	if f.members[name] == nil {
		f.members[name] = &fields{}
	}
	return f.members[name]
}

// addSelector adds what a selector of the whole object may read.
func (f *fields) addSelector(s *selector) {
	if s.cel != nil {
		f.all = true // an expression can read any field
		return
	}
	f.add(s.path)
}

// add adds what a path may read.
func (f *fields) add(p path) {
	if f.all {
		return
	}
	if len(p) == 0 {
		f.all = true
		return
	}
	s := &p[0]
	switch {
	case s.element:
		f.member(s.key).all = true
		f.add(p[1:])
	case s.equals:
		f.member(s.key).add(p[1:])
		f.member(s.name).add(p[1:])
	default:
		if s.isIndex {
			f.add(p[1:])
		}
		f.member(s.name).add(p[1:])
	}
}

// decode reads the next value. What is not read comes as a value of the same kind:
// an object or a list without what is skipped.
func (f *fields) decode(d *jsontext.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d levels deep", maxDepth)
	}
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '{':
		return f.decodeObject(d, depth)
	case '[':
		return f.decodeList(d, depth)
	case '"':
		return t.String(), nil
	case 't', 'f':
		return t.Bool(), nil
	case '0':
		text := t.String()
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
		n, err := strconv.ParseFloat(text, 64)
		if errors.Is(err, strconv.ErrRange) {
			err = nil // infinite
		}
		return n, err
	default:
		return nil, nil //nolint:nilnil // null
	}
}

func (f *fields) decodeObject(d *jsontext.Decoder, depth int) (any, error) {
	m := map[string]any{}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		child := f
		if !f.all {
			child = f.members[key]
		}
		if child == nil {
			if err := d.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		if m[key], err = child.decode(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return m, err
}

func (f *fields) decodeList(d *jsontext.Decoder, depth int) (any, error) {
	list := []any{}
	for {
		switch d.PeekKind() {
		case ']', 0:
			_, err := d.ReadToken()
			return list, err
		}
		v, err := f.decode(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}
