package told

import (
	"strconv"
	"testing"
)

func TestNew(t *testing.T) {
	var texts Texts
	for i, want := range []bool{true, true, false, false} {
		if got := texts.New(strconv.Itoa(i % 2)); got != want {
			t.Errorf("call %d: new %t, want %t", i, got, want)
		}
	}
	for i := range 10 * most {
		texts.New(strconv.Itoa(i))
		if len(texts.known) > most {
			t.Fatalf("%d texts are known, want at most %d", len(texts.known), most)
		}
	}
	if !texts.New("0") {
		t.Error("a text is known that was forgotten")
	}
}
