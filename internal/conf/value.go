package conf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value reads an option's text into the place where the option is kept. It is a
// pflag.Value.
type value[T any] struct {
	to     *T
	typ    string
	parse  func(string) (T, error) // the error says what is allowed
	format func(T) string
}

// Set reads s. The value stays as it was if that fails.
func (v value[T]) Set(s string) error {
	t, err := v.parse(s)
	if err != nil {
		return err
	}
	*v.to = t
	return nil
}

// String returns the value as a user would write it.
func (v value[T]) String() string { return v.format(*v.to) }

// Type returns the word for the value's type that help shows.
func (v value[T]) Type() string { return v.typ }

func text(to *string) value[string] {
	same := func(s string) string { return s }
	return value[string]{to, "string", func(s string) (string, error) { return s, nil }, same}
}

// boolType is the word for truths, which flags may leave out their value for.
const boolType = "bool"

func truth(to *bool) value[bool] {
	return value[bool]{to, boolType, func(s string) (bool, error) {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return false, errors.New("want true or false")
		}
		return b, nil
	}, strconv.FormatBool}
}

func number(to *int) value[int] {
	return value[int]{to, "int", func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, errors.New("want a whole number")
		}
		return n, nil
	}, strconv.Itoa}
}

func duration(to *time.Duration) value[time.Duration] {
	return value[time.Duration]{to, "duration", func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errors.New("want a number with its unit, such as 500ms, 30s or 1m30s")
		}
		return d, nil
	}, time.Duration.String}
}

// repeats says what becomes of an item that a list has already.
type repeats bool

const (
	keepRepeats repeats = true
	dropRepeats repeats = false
)

// list reads items with commas between them. A flag that is given again adds to
// the list. Blanks around items and empty items are dropped.
func list(to *[]string, r repeats) value[[]string] {
	return value[[]string]{to, "list", func(s string) ([]string, error) {
		items := slices.Clone(*to)
		for item := range strings.SplitSeq(s, ",") {
			item = strings.TrimSpace(item)
			if item == "" || r == dropRepeats && slices.Contains(items, item) {
				continue
			}
			items = append(items, item)
		}
		return items, nil
	}, func(items []string) string { return strings.Join(items, ",") }}
}

// allowLists reads keys by resource; see parseAllowLists. A flag that is given
// again replaces what was.
func allowLists(to *map[string][]string) value[map[string][]string] {
	return value[map[string][]string]{to, "keys", parseAllowLists, func(lists map[string][]string) string {
		var parts []string
		for _, resource := range slices.Sorted(maps.Keys(lists)) {
			parts = append(parts, fmt.Sprintf("%s=[%s]", resource, strings.Join(lists[resource], ",")))
		}
		return strings.Join(parts, ",")
	}}
}

// addedLists is like allowLists, but a flag that is given again adds to what was.
func addedLists(to *map[string][]string) value[map[string][]string] {
	v := allowLists(to)
	v.parse = func(s string) (map[string][]string, error) {
		more, err := parseAllowLists(s)
		if err != nil {
			return nil, err
		}
		for name, items := range *to {
			more[name] = append(slices.Clone(items), more[name]...)
		}
		return more, nil
	}
	return v
}
