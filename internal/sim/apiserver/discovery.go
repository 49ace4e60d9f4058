package apiserver

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
)

// serveDiscovery answers all requests that are not about objects: health, version, groups
// and resources.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	out := &response{ResponseWriter: w}
	entry := s.requests.begin(request{verb: VerbDiscovery}, r)
	defer func() { s.requests.end(entry, out.code) }()
	fault := s.faults.take(VerbDiscovery, "")
	if fault.refuse(out, r, request{verb: VerbDiscovery}) {
		return
	}
	path := strings.Trim(r.URL.Path, "/")
	parts := strings.Split(path, "/")
	switch {
	case path == "healthz" || path == "livez" || path == "readyz":
		_, _ = out.Write([]byte("ok"))
	case path == "version":
		writeVersion(out)
	case path == "api":
		writeDiscovery(out, r, "APIVersions", &metav1.APIVersions{Versions: []string{"v1"}})
	case path == "apis":
		writeDiscovery(out, r, "APIGroupList", &metav1.APIGroupList{Groups: s.groups()})
	case len(parts) == 2 && parts[0] == "apis":
		s.serveGroup(out, r, parts[1])
	case len(parts) == 2 && parts[0] == "api":
		s.serveResources(out, r, "", parts[1])
	case len(parts) == 3 && parts[0] == "apis":
		s.serveResources(out, r, parts[1], parts[2])
	default:
		writePageNotFound(out)
	}
}

func (s *Server) serveGroup(w http.ResponseWriter, r *http.Request, name string) {
	for _, group := range s.groups() {
		if group.Name == name {
			writeDiscovery(w, r, "APIGroup", &group)
			return
		}
	}
	writePageNotFound(w)
}

// serveResources lists the resources of one group version.
func (s *Server) serveResources(w http.ResponseWriter, r *http.Request, group, version string) {
	list := &metav1.APIResourceList{GroupVersion: strings.TrimPrefix(group+"/"+version, "/")}
	for _, t := range s.store.tables {
		if t.resource.Group != group || t.resource.Version != version {
			continue
		}
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name:         t.resource.Name,
			SingularName: strings.ToLower(t.resource.Kind),
			Namespaced:   t.resource.Namespaced,
			Kind:         t.resource.Kind,
			ShortNames:   t.resource.ShortNames,
			Categories:   t.resource.categories(),
			Verbs:        metav1.Verbs{"get", "list", "watch"},
		})
	}
	if len(list.APIResources) == 0 {
		writePageNotFound(w)
		return
	}
	writeDiscovery(w, r, "APIResourceList", list)
}

// groups lists the named API groups, each with its versions in table order.
func (s *Server) groups() []metav1.APIGroup {
	var groups []metav1.APIGroup
	for _, t := range s.store.tables {
		gv := t.resource.groupVersion()
		if gv.Group == "" {
			continue
		}
		v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
		i := slices.IndexFunc(groups, func(g metav1.APIGroup) bool { return g.Name == gv.Group })
		switch {
		case i < 0:
			groups = append(groups, metav1.APIGroup{Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
		case !slices.Contains(groups[i].Versions, v):
			groups[i].Versions = append(groups[i].Versions, v)
		}
	}
	return groups
}

func serverVersion() *version.Info {
	return &version.Info{
		Major: "1", Minor: "37", GitVersion: "v1.37.2+sim", GitTreeState: "clean",
		GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func writeVersion(w http.ResponseWriter) {
	body, err := json.Marshal(serverVersion())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(body)
}

func writeDiscovery(w http.ResponseWriter, r *http.Request, kind string, object k8sruntime.Object) {
	format, ok := negotiate(r.Header.Get("Accept"), true)
	if !ok {
		writeStatus(w, encodeJSON, notAcceptable(true))
		return
	}
	body, err := encodeMeta(format.encoding, kind, object)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", format.encoding.contentType(false))
	_, _ = w.Write(body)
}

// writePageNotFound answers as the real server does for paths it has no
// handler for: in plain text, not with a Status.
func writePageNotFound(w http.ResponseWriter) {
	http.Error(w, "404 page not found", http.StatusNotFound)
}
