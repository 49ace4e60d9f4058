package wire_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/wire"
)

// kept has every sort of field of a Pod: in the object and nested, in lists, behind
// pointers, in inlined messages, complete maps and maps without a key.
var kept = []string{
	"metadata.name", "metadata.labels", "metadata.annotations[!secret]", "metadata.creationTimestamp",
	"spec.nodeName", "spec.containers.name", "spec.containers.resources.requests", "spec.volumes.name",
	"spec.volumes.persistentVolumeClaim.claimName", "spec.terminationGracePeriodSeconds",
	"status.containerStatuses.state.running", "status.phase",
}

func compile(t testing.TB, fields ...string) *wire.Filter {
	t.Helper()
	f, err := wire.Compile(&corev1.Pod{}, fields)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// pod has fields to keep and to drop at every level.
func pod() *corev1.Pod {
	grace := int64(30)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "a", UID: "dropped", Labels: map[string]string{"app": "shop"},
			Annotations:       map[string]string{"secret": "dropped", "open": "kept", "secrets": "kept"},
			CreationTimestamp: metav1.Unix(1700000000, 0),
			ManagedFields:     []metav1.ManagedFieldsEntry{{Manager: strings.Repeat("dropped", 100)}},
		},
		Spec: corev1.PodSpec{
			NodeName: "n", TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{
				{
					Name: "one", Env: []corev1.EnvVar{{Name: "dropped", Value: strings.Repeat("dropped", 40)}},
					Resources: corev1.ResourceRequirements{
						Requests: corev1.ResourceList{"cpu": apiresource.MustParse("100m")},
						Limits:   corev1.ResourceList{"cpu": apiresource.MustParse("200m")},
					},
				},
				{Name: "two", Image: "dropped"},
			},
			Volumes: []corev1.Volume{
				{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c", ReadOnly: true}}},
				{Name: "dir", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: "dropped"}}},
			},
		},
		Status: corev1.PodStatus{
			Phase: "Running", Message: "dropped",
			ContainerStatuses: []corev1.ContainerStatus{
				{Name: "dropped", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
				{Name: "dropped", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "dropped"}}},
			},
		},
	}
}

func marshal(t testing.TB, p *corev1.Pod) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, b []byte) *corev1.Pod {
	t.Helper()
	var p corev1.Pod
	if err := p.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	return &p
}

// dropOthers clears the fields of o that are not listed, independently of the encoding.
func dropOthers(o reflect.Value, fields []string) {
	switch o.Kind() {
	case reflect.Pointer:
		if !o.IsNil() {
			dropOthers(o.Elem(), fields)
		}
	case reflect.Slice:
		for i := range o.Len() {
			dropOthers(o.Index(i), fields)
		}
	case reflect.Struct:
		for i := range o.NumField() {
			dropField(o.Type().Field(i), o.Field(i), fields)
		}
	case reflect.Map: // its fields are the kept keys
		for _, key := range o.MapKeys() {
			if slices.Contains(fields, key.String()) {
				o.SetMapIndex(key, reflect.Value{})
			}
		}
	}
}

func dropField(f reflect.StructField, value reflect.Value, fields []string) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" { // inline
		dropOthers(value, fields)
		return
	}
	var below []string
	for _, field := range fields {
		if rest, ok := strings.CutPrefix(field, name); ok && rest == "" {
			return
		} else if rest, dotted := strings.CutPrefix(rest, "."); ok && dotted {
			below = append(below, rest)
		} else if rest, ok := strings.CutPrefix(rest, "[!"); ok {
			below = append(below, strings.TrimSuffix(rest, "]"))
		}
	}
	if below == nil {
		value.SetZero()
		return
	}
	dropOthers(value, below)
}

func TestKeepsWhatIsNamed(t *testing.T) {
	message := marshal(t, pod())
	before := bytes.Clone(message)
	short := compile(t, kept...).Append(nil, message)
	if !bytes.Equal(message, before) {
		t.Error("message modified")
	}
	got := decode(t, short)
	want := pod()
	dropOthers(reflect.ValueOf(want), kept)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if bytes.Contains(short, []byte("dropped")) {
		t.Errorf("field not dropped: %q", short)
	}
	if got.Spec.Volumes[0].PersistentVolumeClaim.ClaimName != "c" || got.Annotations["open"] != "kept" || got.Annotations["secrets"] != "kept" {
		t.Errorf("field missing in %v", got)
	}
}

func TestNilKeepsAll(t *testing.T) {
	message := marshal(t, pod())
	var f *wire.Filter
	if got := f.Append([]byte("before"), message); string(got) != "before"+string(message) {
		t.Errorf("got %q", got)
	}
}

func TestNoFieldKeepsNone(t *testing.T) {
	if got := compile(t).Append(nil, marshal(t, pod())); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

// A field may be named in several ways; the union is kept.
func TestFieldsOverlap(t *testing.T) {
	message := marshal(t, pod())
	for _, test := range []struct{ fields, as []string }{
		{[]string{"spec.nodeName", "spec", "spec.containers.name"}, []string{"spec"}},
		{[]string{"metadata.annotations[!open]", "metadata.annotations"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations", "metadata.annotations[!open]"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations[!open]", "metadata.annotations[!secret]"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations[!open]", "metadata.annotations[!open]"}, []string{"metadata.annotations[!open]"}},
		{[]string{"metadata.annotations[open]", "metadata.annotations"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations", "metadata.annotations[open]"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations[open]", "metadata.annotations[secrets]"}, []string{"metadata.annotations[!secret]"}},
		{[]string{"metadata.annotations[open]", "metadata.annotations[!open]"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations[!open]", "metadata.annotations[open]"}, []string{"metadata.annotations"}},
		{[]string{"metadata.annotations[!open]", "metadata.annotations[secret]"}, []string{"metadata.annotations[!open]"}},
		{[]string{"metadata.annotations[secret]", "metadata.annotations[!open]"}, []string{"metadata.annotations[!open]"}},
		{
			[]string{"spec.{nodeName,containers.{name,resources.{limits,requests}}}", "metadata.{name}"},
			[]string{"spec.nodeName", "spec.containers.name", "spec.containers.resources.limits", "spec.containers.resources.requests", "metadata.name"},
		},
		{[]string{"spec.{containers,volumes}.{name}"}, []string{"spec.volumes.name", "spec.containers.name"}},
	} {
		got, want := compile(t, test.fields...).Append(nil, message), compile(t, test.as...).Append(nil, message)
		if !bytes.Equal(got, want) {
			t.Errorf("%q: got %q, want %q as of %q", test.fields, got, want, test.as)
		}
	}
}

func TestKeeps(t *testing.T) {
	f := compile(t, kept...)
	for field, want := range map[string]bool{
		"metadata.name": true, "metadata.labels": true, "metadata.uid": false, "metadata": false,
		"metadata.annotations": false, // not completely
		"spec.containers.name": true, "spec.containers.image": false, "spec.containers": false,
		"spec.volumes.persistentVolumeClaim.claimName": true, "spec.volumes.persistentVolumeClaim": false, "spec.volumes.hostPath.path": false,
		"status.containerStatuses.state.running.startedAt": true, "spec.nothing.at.all": false,
	} {
		if got := f.Keeps(&corev1.Pod{}, field); got != want {
			t.Errorf("%s: %t, want %t", field, got, want)
		}
	}
	if !(*wire.Filter)(nil).Keeps(&corev1.Pod{}, "metadata.name") {
		t.Error("the nil filter does not keep a name")
	}
}

func TestCompileErrors(t *testing.T) {
	_, err := wire.Compile(corev1.Pod{}, []string{
		"spec.nodename", "status.phase", "", "metadata.labels.app", "status.phase.x", "spec.nodeName[!x]", "metadata.labels[]", "metadata.labels[x", "metadata.labels[!]", "metadata.labels[!x",
		"spec.{nodeName", "spec.nodeName}", "spec.nodeName,phase", "status.{phase,a,{b}c}", "spec.{}",
	})
	want := `field "spec.nodename": v1.PodSpec has no field "nodename"
field "": v1.Pod has no field ""
field "metadata.labels.app": map[string]string has no field "app"
field "status.phase.x": v1.PodPhase has no field "x"
field "spec.nodeName[!x]": string is not a map with string keys: it has no entries to drop
field "metadata.labels[]": invalid suffix: must be [key] or [!key]
field "metadata.labels[x": invalid suffix: must be [key] or [!key]
field "metadata.labels[!]": invalid suffix: must be [key] or [!key]
field "metadata.labels[!x": invalid suffix: must be [key] or [!key]
field "spec.{nodeName": brace is not closed
field "spec.nodeName}": comma or closing brace outside of braces
field "spec.nodeName,phase": comma or closing brace outside of braces
field "status.{phase,a,{b}c}": v1.PodStatus has no field "a"
v1.PodStatus has no field "bc"
field "spec.{}": v1.PodSpec has no field ""`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// Encoders may use more bytes than necessary for numbers, and fields in any order and
// repeatedly.
func TestUnusualEncodings(t *testing.T) {
	var message []byte
	field := func(number, value string) {
		message = append(message, number...)
		message = append(message, byte(len(value))|0x80, 0x80, 0x00)
		message = append(message, value...)
	}
	field("\x12", "\x52\x01n\x2a\x01d")   // spec with nodeName (10) and a dropped field (5)
	field("\x9a\x01", "unknown")          // unknown field 19
	field("\x92\x80\x80\x00", "\x20\x07") // spec again, with terminationGracePeriodSeconds (4)
	// Metadata with name (1), UID (5) and annotations (12): one with two keys, of which
	// the last counts, and one without a value.
	field("\x0a", "\x0a\x01a\x2a\x01u"+"\x62\x0e\x0a\x04open\x0a\x06secret"+"\x62\x06\x0a\x04open")
	p := decode(t, compile(t, kept...).Append(nil, message))
	if p.Spec.NodeName != "n" || *p.Spec.TerminationGracePeriodSeconds != 7 || p.Name != "a" || p.UID != "" ||
		!reflect.DeepEqual(p.Annotations, map[string]string{"open": ""}) {
		t.Errorf("got %v", p)
	}
}

// Malformed messages are left to the decoder, which returns the same error as for the
// unfiltered message.
func TestNonsenseIsLeft(t *testing.T) {
	f := compile(t, kept...)
	for name, message := range map[string]string{
		"truncated tag":       "\x8a",
		"truncated length":    "\x12\x80",
		"truncated content":   "\x12\x05\x52",
		"number of 0":         "\x02\x00",
		"endless number":      "\x12" + strings.Repeat("\x80", 11),
		"group":               "\x13\x14",
		"end of a group":      "\x14",
		"wire type 6":         "\x16",
		"wrong type":          "\x10\x01",
		"nested":              "\x12\x02\x52\x7f",
		"entry of a map":      "\x0a\x09\x62\x07\x0a\x06secre",
		"huge length":         "\x12" + string(binary.AppendUvarint(nil, 1<<63)),
		"deeply wrong number": "\x12\x02\x52\x80",
	} {
		plain, filtered := new(corev1.Pod), new(corev1.Pod)
		want := plain.Unmarshal([]byte(message))
		got := filtered.Unmarshal(f.Append(nil, []byte(message)))
		if want == nil || got == nil || want.Error() != got.Error() {
			t.Errorf("%s: error %v, unfiltered %v", name, got, want)
		}
	}
}

func TestAppendAllocs(t *testing.T) {
	f, message := compile(t, kept...), marshal(t, pod())
	dst := make([]byte, 0, len(message))
	if n := testing.AllocsPerRun(100, func() { dst = f.Append(dst[:0], message) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// Arbitrary messages: what decodes unfiltered also decodes filtered, to the same value
// except for dropped fields, also when filtered in place.
func FuzzAppend(f *testing.F) {
	f.Add(marshal(f, pod()))
	f.Add(marshal(f, pod())[:300])
	f.Add([]byte("\x12\x02\x52\x7f"))
	f.Add([]byte("\x0a\x08\x62\x06\x0a\x04secr\x13\x14\x12\x00"))
	filter := compile(f, kept...)
	f.Fuzz(func(t *testing.T, message []byte) {
		short := filter.Append([]byte("before"), message)[len("before"):]
		if len(short) > len(message) {
			t.Errorf("%d bytes became %d", len(message), len(short))
		}
		var want, got corev1.Pod
		if want.Unmarshal(message) != nil {
			_ = got.Unmarshal(short) // must not panic
		} else if err := got.Unmarshal(short); err != nil {
			t.Fatalf("%q decodes, filtered %q does not: %v", message, short, err)
		} else {
			dropOthers(reflect.ValueOf(&want), kept)
			dropOthers(reflect.ValueOf(&got), kept) // a group, and what follows it, is not dropped
			if !reflect.DeepEqual(&got, &want) {
				t.Errorf("got\n%v\nwant\n%v", &got, &want)
			}
		}
		inPlace := bytes.Clone(message)
		if inPlace = filter.Append(inPlace[:0], inPlace); !bytes.Equal(inPlace, short) {
			t.Errorf("got %q in place, want %q", inPlace, short)
		}
	})
}
