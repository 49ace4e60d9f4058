package logged

import (
	"strconv"
	"testing"
)

func TestNew(t *testing.T) {
	var messages Messages
	for i, want := range []bool{true, true, false, false} {
		if got := messages.New(strconv.Itoa(i % 2)); got != want {
			t.Errorf("call %d: new %t, want %t", i, got, want)
		}
	}
	for i := range 10 * most {
		messages.New(strconv.Itoa(i))
		if len(messages.known) > most {
			t.Fatalf("%d messages known, want at most %d", len(messages.known), most)
		}
	}
	if !messages.New("0") {
		t.Error("old message still known")
	}
}
