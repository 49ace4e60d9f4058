package request

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	f := func(method, query string, code int, body string) {
		t.Helper()
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL.RawQuery = method, query
		w := httptest.NewRecorder()
		if q, ok := Check(w, r); ok != (code == 200) || ok != (q != nil) {
			t.Errorf("%s %.30s: ok is %v, query %v", method, query, ok, q)
		}
		if w.Code != code || w.Body.String() != body {
			t.Errorf("%s %.30s: %d %q, want %d %q", method, query, w.Code, w.Body, code, body)
		}
		if allow := w.Header().Get("Allow"); (allow == "GET, HEAD") != (code == 405) {
			t.Errorf("%s %.30s: Allow %q", method, query, allow)
		}
	}
	f("GET", "", 200, "")
	f("HEAD", "resources=pods&slice=1/2", 200, "")
	f("GET", "resources=%zz", 400, "invalid query \"resources=%zz\": invalid URL escape \"%zz\"\n")
	f("GET", "resources=pods;nodes", 400, "invalid query \"resources=pods;nodes\": invalid semicolon separator in query\n")
	f("GET", "%"+long, 400, "invalid query \"%"+long[:99]+"…\": invalid URL escape \"%xx\"\n")
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"} {
		f(method, "%zz", 405, "method \""+method+"\" not allowed: must be GET or HEAD\n")
	}
}
