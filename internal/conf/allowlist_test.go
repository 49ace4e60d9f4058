package conf

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// What vectors do not say; those are in TestVectorsAllowLists.
func TestParseAllowLists(t *testing.T) {
	type lists = map[string][]string
	for _, c := range []struct {
		in      string
		want    lists
		ignored string
		err     string
	}{
		{in: "  ", want: lists{}},
		{in: "pods=[,a]", want: lists{"pods": {"", "a"}}},
		{in: "pods=[ ]", want: lists{"pods": {}}},
		{in: " pods=[a] , nodes=[b] ", want: lists{"pods": {"a"}, "nodes": {"b"}}},
		{in: "pods=[a],pods=[b]", want: lists{"pods": {"b"}}, ignored: "pods has several lists; using the last: must have all keys in one list"},
		{in: "pods", want: lists{}, ignored: "ignoring pods, which has no list of keys: must be pods=[key,...]"},
		{in: "pods=", want: lists{}, ignored: "ignoring pods, which has no list of keys: must be pods=[key,...]"},
		{in: "pods=[a],nodes", want: lists{"pods": {"a"}}, ignored: "ignoring nodes, which has no list of keys: must be nodes=[key,...]"},
		{in: "pods=[", want: lists{"pods": {}}, ignored: `ignoring the last key "": the list must end with ]`},
		{in: "pods=[a,b", want: lists{"pods": {"a"}}, ignored: `ignoring the last key "b": the list must end with ]`},
		{in: "pods=[a,", err: "column 9: unexpected the end: must be a key"},
		{in: "pods=[a],", err: "column 10: unexpected the end: must be a resource, then =["},
		{in: "pods=[a],é:[b]", err: "column 12: unexpected \"[\": must be a resource, then =["},
		{in: "pods=[a]nodes=[b]", err: `column 9: unexpected "n": must be a comma and another resource, or the end`},
		{in: "pods=[a,]", err: `column 9: unexpected "]": must be a key`},
		{in: "pods=[a=b]", err: `column 8: unexpected "=": must be a comma and another key, or ]`},
	} {
		got, ignored, err := parseAllowLists(c.in)
		if c.err != "" {
			if err == nil || !strings.HasSuffix(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %s", c.in, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" || strings.Join(ignored, "\n") != c.ignored {
			t.Errorf("%q: error %v, ignored %q, want %q (-want +got):\n%s", c.in, err, ignored, c.ignored, diff)
		}
	}
}

// Whatever is accepted is accepted again as String writes it, and means the same.
func FuzzParseAllowLists(f *testing.F) {
	for _, seed := range []string{"", "pods=[a,b-*], nodes=[*]", "pods=[", "=[a]", "pods=[,a]", "pods=[é]", "\xff=[\xfe", "a=[]b", "]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		lists, _, err := parseAllowLists(in)
		if err != nil {
			if utf8.ValidString(in) && !utf8.ValidString(err.Error()) {
				t.Errorf("error cuts a letter: %q", err)
			}
			return
		}
		again, _, err := parseAllowLists(allowLists(&lists).String())
		if diff := cmp.Diff(lists, again); err != nil || diff != "" {
			t.Errorf("%q: error %v (-first +second):\n%s", in, err, diff)
		}
	})
}
