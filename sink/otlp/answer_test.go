package otlp

import (
	"encoding/base64"
	"math"
	"testing"
)

// Whatever a receiver responds, the decoded values are plausible.
func FuzzAnswer(f *testing.F) {
	f.Add(partial(1, "too old"))
	status, err := base64.RawStdEncoding.DecodeString(retryInfo("RetryInfo", 20, 5))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(status)
	f.Add([]byte{0, 0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, answer []byte) {
		if got := readSuccess(answer); got.rejected < 0 || got.rejected > math.MaxInt32 {
			t.Errorf("%d points rejected", got.rejected)
		}
		if got := readStatus(answer); got.retryAfter < 0 {
			t.Errorf("retry after %s", got.retryAfter)
		}
		if got := message(answer); len(got) > len(answer) {
			t.Errorf("message of %d bytes in %d bytes", len(got), len(answer))
		}
	})
}
