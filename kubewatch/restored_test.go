package kubewatch

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// A server that was restored from a backup, or another on its address, has older
// versions. Whatever shows that, objects are read again.
func TestWentBack(t *testing.T) {
	for name, event := range map[string]string{
		"event":    jsonEvent("MODIFIED", object("b", "3")),
		"deletion": jsonEvent("DELETED", object("b", "3")),
		"bookmark": bookmark("3"),
	} {
		t.Run(name, func(t *testing.T) {
			var restored atomic.Bool
			h := &hostile{}
			h.list = func(r *http.Request) reply {
				switch {
				case !restored.Load():
					return listOf("1000", "", "a", "b", "c")
				case r.URL.Query().Has("resourceVersion"):
					t.Errorf("list at version %s", r.URL.Query().Get("resourceVersion"))
				}
				return listOf("3", "", "b")
			}
			h.watch = func(r *http.Request) reply {
				switch {
				case !restored.Load():
					return reply{lasts: time.Minute}
				case r.URL.Query().Get("resourceVersion") == "1000":
					return held(event)
				}
				return held()
			}
			against(t, h, func(c *cluster, g *Group, m *memory) {
				m.want(t, "a b c")
				restored.Store(true)
				time.Sleep(75 * time.Second)
				m.want(t, "b")
				if s := c.wantStatus(g, Synced, ""); s.ResourceVersion != "3" {
					t.Errorf("version %q, want 3", s.ResourceVersion)
				}
				c.log.want(t, "INFO relisting: the server cannot resume the watch")
			})
		})
	}
}

// A restored server may also take a version that it has not reached and stay silent. A
// watch that brought nothing is followed by a look at the version of a list, which costs
// one object; that it fails does not stop a watch that works.
func TestSilentlyWentBack(t *testing.T) {
	for name, test := range map[string]struct {
		watches time.Duration // how long one lasts
		limited reply         // to a list of one object
		want    string
		lists   int
	}{
		"ends":        {6 * time.Minute, listOf("3", "t", "b"), "b", 3},
		"breaks":      {15 * time.Second, listOf("3", "t", "b"), "b", 3},
		"same":        {6 * time.Minute, listOf("1000", "t", "b"), "a b c", 4},
		"newer":       {6 * time.Minute, listOf("1001", "t", "b"), "a b c", 4},
		"no version":  {6 * time.Minute, listOf("", "t", "b"), "a b c", 4},
		"forbidden":   {6 * time.Minute, reply{code: 403, body: failure(403, "Forbidden")}, "a b c", 4},
		"not a list":  {6 * time.Minute, reply{body: "<html>"}, "a b c", 4},
		"ends midway": {6 * time.Minute, reply{body: `{"metadata":{"resourceVersion":"3"}`}, "a b c", 4},
	} {
		t.Run(name, func(t *testing.T) {
			var restored atomic.Bool
			h := &hostile{}
			h.list = func(r *http.Request) reply {
				switch {
				case r.URL.Query().Get("limit") == "1":
					return test.limited
				case restored.Load():
					return listOf("3", "", "b")
				}
				return listOf("1000", "", "a", "b", "c")
			}
			h.watch = func(r *http.Request) reply {
				if r.URL.Query().Get("resourceVersion") == "3" {
					return held()
				}
				return reply{lasts: test.watches}
			}
			against(t, h, func(c *cluster, g *Group, m *memory) {
				restored.Store(true)
				time.Sleep(19 * time.Minute)
				m.want(t, test.want)
				c.wantStatus(g, Synced, "")
				if n := h.count(apiserver.VerbList); n != test.lists {
					t.Errorf("%d lists, want %d", n, test.lists)
				}
			})
		})
	}
}

// A list older than what is known may come from a cache that lags. It is read again
// from where it cannot, and then accepted.
func TestListWentBack(t *testing.T) {
	h := &hostile{}
	h.list = func(r *http.Request) reply {
		switch r.URL.Query().Get("resourceVersion") {
		case "0":
			return listOf("1000", "", "a", "b")
		case "1000":
			return listOf("900", "", "a")
		}
		return listOf("3", "", "b")
	}
	h.watch = func(r *http.Request) reply {
		if r.URL.Query().Get("resourceVersion") == "1000" {
			return reply{body: jsonEvent("ERROR", failure(410, "Expired"))}
		}
		return held()
	}
	against(t, h, func(c *cluster, g *Group, m *memory) {
		m.want(t, "a b")
		time.Sleep(time.Minute)
		m.want(t, "b")
		c.wantStatus(g, Synced, "")
	})
}

func TestOlder(t *testing.T) {
	for _, test := range []struct {
		version, than string
		want          bool
	}{
		{"9", "10", true},
		{"10", "9", false},
		{"10", "10", false},
		{"x9", "10", false},
		{"9", "", false},
		{"", "9", false},
		{"18446744073709551614", "18446744073709551615", true},
	} {
		if got := older(test.version, test.than); got != test.want {
			t.Errorf("older(%q, %q) is %v", test.version, test.than, got)
		}
	}
}
