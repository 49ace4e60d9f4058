package problem

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestError(t *testing.T) {
	long := "must be one of: " + strings.Repeat("name, ", 40)
	for _, c := range []struct {
		p    Problem
		want string
	}{
		{Problem{}, ""},
		{Problem{Source: "a.yaml", Line: 3, Path: "x.y[0]", What: "w", Allowed: "a"}, "a.yaml:3: x.y[0]: w: a"},
		{Problem{Source: "--port", What: "w"}, "--port: w"},
		{Problem{Source: "a.yaml", Path: "x", What: "w", Allowed: "must be b", Hint: "did you mean c?"}, "a.yaml: x: w: did you mean c? must be b"},
		{Problem{What: "w", Allowed: long}, "w: " + long},
		{Problem{What: "w", Allowed: long, Hint: "did you mean name?"}, "w: did you mean name?"},
		{Invalid("port", "x", "must be a number"), `invalid port "x": must be a number`},
		{New("w", "").At("b").At("a"), "a.b: w"},
		{New("w", "").At("[0]").At("a"), "a[0]: w"},
	} {
		if got := c.p.Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{
		"": "", strings.Repeat("é", 100): strings.Repeat("é", 100), strings.Repeat("é", 101): strings.Repeat("é", 99) + "…",
	} {
		if got := Cut(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The problems of an error are values: those that were joined, in their order, however
// deep, and never the lines of a text.
func TestOf(t *testing.T) {
	two := List{{Source: "f", What: "b"}, {What: "c\nc"}}
	err := errors.Join(errors.New("a"), nil, two.Err(), errors.Join(New("d", ""), fmt.Errorf("e: %w", errors.New("f"))))
	want := "a|f: b|c\nc|d|e: f"
	var got []string
	for _, p := range Of(err) {
		got = append(got, p.Error())
	}
	if strings.Join(got, "|") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if got := len(Of(fmt.Errorf("%w", two))); got != 2 {
		t.Errorf("%d problems of a wrapped list, want 2", got)
	}
	if Of(nil) != nil || List(nil).Err() != nil || In("x", nil) != nil {
		t.Error("no error has problems")
	}
	if got, want := In("agent", two).Error(), "agent: f: b\nagent: c\nc"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := two.From("g")[1].Source + two[1].Source; got != "g" {
		t.Errorf("source %q", got)
	}
}
