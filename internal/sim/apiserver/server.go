package apiserver

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Config sets how a Server behaves; zero values are those of a real one.
type Config struct {
	// BookmarkInterval is the time between bookmarks of a watch that asks for
	// them; 0 means one minute.
	BookmarkInterval time.Duration
	// WatchTimeout ends watches that do not name a timeout; 0 means 30 minutes.
	WatchTimeout time.Duration
}

// Server answers the Kubernetes API from a Store. It is an http.Handler and
// safe for concurrent use. Faults are placed with Inject, CutWatches and
// Store.Compact while it serves.
type Server struct {
	store  *Store
	config Config

	faults   faults
	requests requestLog
	watchers watchers
}

// New returns a server over the store's objects.
func New(store *Store, config Config) *Server {
	if config.BookmarkInterval <= 0 {
		config.BookmarkInterval = time.Minute
	}
	if config.WatchTimeout <= 0 {
		config.WatchTimeout = 30 * time.Minute
	}
	return &Server{store: store, config: config, watchers: newWatchers()}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, ok := s.parsePath(r.URL.Path)
	if !ok {
		s.serveDiscovery(w, r)
		return
	}
	out := &response{ResponseWriter: w}
	problem := req.parseOptions(r.URL.Query())
	req.parseMethod(r.Method)
	entry := s.requests.begin(req, r)
	defer func() { s.requests.end(entry, out.code) }()

	req.form, ok = negotiate(r.Header.Get("Accept"), req.table.resource.New != nil)
	if req.form.as == tableKind {
		req.form.printer = printerOf(req.table.resource.Name)
	}
	req.form.include = metav1.IncludeObjectPolicy(r.URL.Query().Get("includeObject"))
	switch {
	case !ok:
		writeStatus(out, encodeJSON, notAcceptable(req.table.resource.New != nil))
		return
	case r.Method != http.MethodGet && !req.writes():
		problem = methodNotAllowed(r.Method, req)
	case problem == nil:
		problem = req.checkForm()
	}
	if problem != nil {
		writeStatus(out, req.form.encoding, problem.Status())
		return
	}
	fault := s.faults.take(req.verb, req.table.resource.Name)
	if answered := fault.refuse(out, r, req); answered {
		return
	}
	s.serve(out, r, req, fault)
}

func (s *Server) serve(out *response, r *http.Request, req request, fault Fault) {
	switch req.verb {
	case VerbWatch, VerbWatchList:
		s.serveWatch(out, r, req, fault)
	case VerbGet:
		s.serveGet(fault.limit(out), req)
	case VerbCreate, VerbUpdate:
		s.serveWrite(fault.limit(out), r, req)
	default:
		req.endless = fault.Effect == EffectEndless
		s.serveList(fault.limit(out), req)
	}
}

func (s *Server) serveGet(w http.ResponseWriter, req request) {
	e, found := s.store.Get(req.table.resource.Name, req.namespace, req.name)
	if !found {
		writeStatus(w, req.form.encoding, apierrors.NewNotFound(req.table.resource.groupResource(), req.name).Status())
		return
	}
	e, err := req.form.convert(e)
	if err != nil {
		writeStatus(w, req.form.encoding, apierrors.NewInternalError(err).Status())
		return
	}
	writeObject(w, req, http.StatusOK, e)
}

// writeObject answers with one object.
func writeObject(w http.ResponseWriter, req request, code int, e *Encoded) {
	body := e.Bytes()
	var err error
	if req.form.encoding == encodeJSON {
		if body, err = e.json(true); err != nil {
			writeStatus(w, req.form.encoding, apierrors.NewInternalError(err).Status())
			return
		}
	}
	w.Header().Set("Content-Type", req.form.encoding.contentType(false))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client may have disconnected
}

// response remembers the status code for the request log.
type response struct {
	http.ResponseWriter
	code int
}

func (r *response) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

func (r *response) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// writeStatus answers with an error in the form of the API.
func writeStatus(w http.ResponseWriter, format encoding, status metav1.Status) {
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	body, err := encodeStatus(format, status)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", format.contentType(false))
	if status.Code == 0 {
		status.Code = http.StatusInternalServerError // a fault that names no code
	}
	w.WriteHeader(int(status.Code))
	_, _ = w.Write(body)
}

func notAcceptable(offersProtobuf bool) metav1.Status {
	offered := []string{jsonType}
	if offersProtobuf {
		offered = append(offered, protobufType)
	}
	return metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusNotAcceptable,
		Reason:  metav1.StatusReasonNotAcceptable,
		Message: fmt.Sprintf("only the following media types are accepted: %s", strings.Join(offered, ", ")),
	}
}
