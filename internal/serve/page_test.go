package serve

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/kubewatch/lease"
)

// The landing page has watches that fail first, and says what is wrong with the
// configuration and whether this replica is a standby.
func TestPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := &ConfigFiles{}
	files.Loaded(nil, ConfigFile{Type: "config", Path: path})
	sources := Sources{
		Build: Build{Version: "v9"}, Files: files, Election: func() lease.Status { return lease.Status{} },
		Watches: func() []kubewatch.Status {
			return []kubewatch.Status{
				{Resource: kind.Nodes.Resource, State: kubewatch.Synced},
				{Resource: kind.Pods.Resource, State: kubewatch.Failing, Error: "forbidden"},
			}
		},
	}
	p := sources.Page()
	if len(p.Rows) != 2 || p.Rows[0].Resource != "pods" || p.Total.State != "1 failing" || p.Total.Resource != "2 watches" || !p.Standby || p.ConfigError != "" {
		t.Errorf("page %+v", p)
	}
	if len(p.Files) != 1 || !p.Files[0].Valid || p.Files[0].Hash != 0xf1c0b975c10c { // of md5("a")
		t.Errorf("files %+v", p.Files)
	}
	loaded := p.Files[0].Loaded
	files.Loaded(errors.New("invalid port"), ConfigFile{Type: "config", Path: path})
	if p = sources.Page(); p.ConfigError != "invalid port" || p.Files[0].Valid || !p.Files[0].Loaded.Equal(loaded) {
		t.Errorf("after a failed reload: %+v", p)
	}
	w := httptest.NewRecorder()
	landing(sources.Page, nil, nil)(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	for _, want := range []string{"previous configuration is in effect", "invalid port", "This replica is a standby", "1 failing", path} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, w.Body)
		}
	}
}
