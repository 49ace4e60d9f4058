package conf

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// What vectors do not say; those are in TestVectorsAllowLists.
func TestParseAllowLists(t *testing.T) {
	for _, c := range []struct {
		in   string
		want map[string][]string
		err  string
	}{
		{in: "  ", want: map[string][]string{}},
		{in: "pods=[,a]", want: map[string][]string{"pods": {"", "a"}}},
		{in: "pods=[ ]", want: map[string][]string{"pods": {}}},
		{in: " pods=[a] , nodes=[b] ", want: map[string][]string{"pods": {"a"}, "nodes": {"b"}}},
		{in: "pods=[a],pods=[b]", err: `column 16: resource "pods" is listed twice, want all its keys in one list`},
		{in: "pods=[a],", err: "column 10: found the end, want a resource, then =["},
		{in: "pods=[a],é:[b]", err: "column 12: found \"[\", want a resource, then =["},
		{in: "pods=[a]nodes=[b]", err: `column 9: found "n", want a comma and another resource, or the end`},
		{in: "pods=[a,]", err: `column 9: found "]", want a key`},
		{in: "pods=[a=b]", err: `column 8: found "=", want a comma and another key, or ]`},
	} {
		got, err := parseAllowLists(c.in)
		if c.err != "" {
			if err == nil || !strings.HasSuffix(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %s", c.in, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%q: error %v (-want +got):\n%s", c.in, err, diff)
		}
	}
}

// Whatever is accepted is accepted again as String writes it, and means the same.
func FuzzParseAllowLists(f *testing.F) {
	for _, seed := range []string{"", "pods=[a,b-*], nodes=[*]", "pods=[", "=[a]", "pods=[,a]", "pods=[é]", "\xff=[\xfe", "a=[]b", "]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		lists, err := parseAllowLists(in)
		if err != nil {
			if utf8.ValidString(in) && !utf8.ValidString(err.Error()) {
				t.Errorf("error cuts a letter: %q", err)
			}
			return
		}
		again, err := parseAllowLists(allowLists(&lists).String())
		if diff := cmp.Diff(lists, again); err != nil || diff != "" {
			t.Errorf("%q: error %v (-first +second):\n%s", in, err, diff)
		}
	})
}
