package apiserver

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// Verb is what a request asks for, finer than the HTTP method.
type Verb string

// The verbs by which requests are counted and faults are placed.
const (
	VerbDiscovery Verb = "discovery" // versions, groups, resources and health
	VerbGet       Verb = "get"       // one object
	VerbList      Verb = "list"      // a whole list or its first page
	VerbPage      Verb = "page"      // a further page of a list
	VerbWatch     Verb = "watch"     // changes after a version
	VerbWatchList Verb = "watchlist" // streaming list: all objects, then changes
	VerbCreate    Verb = "create"    // of Leases only, as the next
	VerbUpdate    Verb = "update"
)

// request is one parsed request for objects.
type request struct {
	endless   bool // the list has no last page
	table     *table
	namespace string // empty for all
	name      string // of a single object
	verb      Verb
	options   options
	form      form
}

// options are the query parameters that list and watch know.
type options struct {
	version       string // resourceVersion as sent; empty if not
	match         metav1.ResourceVersionMatch
	continueToken string
	limit         int
	bookmarks     bool
	initialEvents bool
	timeout       int // seconds, 0 if not sent
	fields        fields.Selector
	labels        labels.Selector
}

// parsePath finds the resource that a path names. ok is false for paths that
// are not served.
func (s *Server) parsePath(path string) (r request, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var group, version string
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, version, parts = parts[1], parts[2], parts[3:]
	default:
		return r, false
	}
	// namespaces/x alone is an object; namespaces/x/pods is a list within.
	if len(parts) >= 3 && parts[0] == "namespaces" {
		r.namespace, parts = parts[1], parts[2:]
	}
	t := s.store.byName[parts[0]]
	if t == nil || t.resource.Group != group || t.resource.Version != version || len(parts) > 2 {
		return r, false
	}
	if r.namespace != "" && !t.resource.Namespaced {
		return r, false
	}
	r.table = t
	if len(parts) == 2 {
		r.name = parts[1]
	}
	return r, true
}

// parseOptions reads the query and decides the verb.
func (r *request) parseOptions(query url.Values) *apierrors.StatusError {
	o := &r.options
	o.version = query.Get("resourceVersion")
	o.match = metav1.ResourceVersionMatch(query.Get("resourceVersionMatch"))
	o.continueToken = query.Get("continue")
	var problem *apierrors.StatusError
	number := func(name string) int {
		n, err := strconv.Atoi(query.Get(name))
		if query.Has(name) && (err != nil || n < 0) {
			problem = apierrors.NewBadRequest(name + " must be a number of at least 0, got " + strconv.Quote(query.Get(name)))
		}
		return n
	}
	flag := func(name string) bool {
		value, err := strconv.ParseBool(query.Get(name))
		if query.Has(name) && err != nil {
			problem = apierrors.NewBadRequest(name + " must be true or false, got " + strconv.Quote(query.Get(name)))
		}
		return value
	}
	o.limit, o.timeout = number("limit"), number("timeoutSeconds")
	o.bookmarks, o.initialEvents = flag("allowWatchBookmarks"), flag("sendInitialEvents")
	r.verb = r.verbOf(flag("watch"))
	var err error
	if o.labels, err = labels.Parse(query.Get("labelSelector")); err != nil {
		problem = apierrors.NewBadRequest(err.Error())
	}
	selector, err := r.fieldSelector(query.Get("fieldSelector"))
	if err != nil {
		problem = apierrors.NewBadRequest(err.Error())
	}
	o.fields = selector
	return problem
}

func (r *request) verbOf(watching bool) Verb {
	switch {
	case watching && r.options.initialEvents:
		return VerbWatchList
	case watching:
		return VerbWatch
	case r.name != "":
		return VerbGet
	case r.options.continueToken != "":
		return VerbPage
	}
	return VerbList
}

// fieldSelector parses the selector and adds the name and namespace of the
// path to it.
func (r *request) fieldSelector(text string) (fields.Selector, error) {
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return nil, err
	}
	for _, requirement := range selector.Requirements() {
		if !r.table.resource.selectable(requirement.Field) {
			return nil, &unsupportedField{requirement.Field}
		}
	}
	if r.namespace != "" {
		selector = fields.AndSelectors(selector, fields.OneTermEqualSelector("metadata.namespace", r.namespace))
	}
	if r.name != "" {
		selector = fields.AndSelectors(selector, fields.OneTermEqualSelector("metadata.name", r.name))
	}
	return selector, nil
}

// selectable reports whether objects can be selected by a field.
func (r *Resource) selectable(field string) bool {
	switch field {
	case "metadata.name":
		return true
	case "metadata.namespace":
		return r.Namespaced
	case "spec.nodeName", "status.phase":
		return r.Name == "pods"
	case "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid":
		return r.Name == "events"
	}
	return false
}

type unsupportedField struct{ field string }

func (e *unsupportedField) Error() string { return "field label not supported: " + e.field }

// selects reports whether the request asks for the object.
func (r *request) selects(e *Encoded) bool {
	return (r.options.fields.Empty() || r.options.fields.Matches(objectFields{e})) && r.options.labels.Matches(e.labels)
}

// selectedAlike reports whether two versions of an object are the same to every selector.
func (e *Encoded) selectedAlike(other *Encoded) bool {
	return e.nodeName == other.nodeName && e.phase == other.phase && maps.Equal(e.labels, other.labels)
}

// objectFields are the selectable fields of an object.
type objectFields struct{ *Encoded }

func (f objectFields) Has(field string) bool { return f.Get(field) != "" }

func (f objectFields) Get(field string) string {
	switch field {
	case "metadata.name":
		return f.Name
	case "metadata.namespace":
		return f.Namespace
	case "spec.nodeName":
		return f.nodeName
	case "status.phase":
		return f.phase
	}
	return ""
}

// expired is the error for versions and pages that are no longer available.
func expired(message string) *apierrors.StatusError {
	return apierrors.NewResourceExpired(message)
}

// methodNotAllowed rejects writes: everything except Leases changes only through Store.
func methodNotAllowed(method string, r request) *apierrors.StatusError {
	e := apierrors.NewMethodNotSupported(r.table.resource.groupResource(), strings.ToLower(method))
	e.ErrStatus.Code = http.StatusMethodNotAllowed
	return e
}
