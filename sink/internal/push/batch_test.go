package push

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Items of the given sizes are packed into requests of at most 3 items and 10 bytes.
func TestBatch(t *testing.T) {
	for _, test := range []struct {
		name  string
		sizes []int
		want  []string
	}{
		{"none", nil, nil},
		{"exact size", []int{4, 6}, []string{"[4 6]"}},
		{"one byte more", []int{4, 7}, []string{"[4]", "[7]"}},
		{"exact number of items", []int{1, 1, 1}, []string{"[1 1 1]"}},
		{"one item more", []int{1, 1, 1, 1}, []string{"[1 1 1]", "[1]"}},
		{"oversized item in its own request", []int{1, 11, 1}, []string{"[1]", "[11]", "[1]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := New(Config{Send: func(context.Context, Payload) Result { return Result{} }})
			defer func() { _ = q.Close(t.Context()) }()
			var request []int
			var size, firsts int
			var got []string
			b := Batch{
				Queue: q, MaxItems: 3, MaxBytes: 10,
				Begin: func() { request, size = nil, 0 },
				Put: func(items int) {
					if items != len(request) {
						t.Errorf("%d items put of %v", items, request)
					}
					got = append(got, fmt.Sprint(request))
				},
			}
			for _, n := range test.sizes {
				if b.Add(t.Context(), size+n) {
					firsts++
				}
				request, size = append(request, n), size+n
			}
			if err := b.End(t.Context()); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || firsts != len(test.want) {
				t.Errorf("%d first items (-want +got):\n%s", firsts, diff)
			}
		})
	}
}
