package apiserver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// maxWritten bounds the body of a write, as on the real server.
const maxWritten = 3 << 20

// parseMethod makes the request a write, if it is one that is served: of Leases.
func (r *request) parseMethod(method string) {
	if r.table.resource.Name != "leases" {
		return
	}
	switch {
	case method == http.MethodPost && r.name == "" && r.namespace != "":
		r.verb = VerbCreate
	case method == http.MethodPut && r.name != "":
		r.verb = VerbUpdate
	}
}

func (r *request) writes() bool { return r.verb == VerbCreate || r.verb == VerbUpdate }

// serveWrite creates or replaces an object, given as JSON.
func (s *Server) serveWrite(w http.ResponseWriter, r *http.Request, req request) {
	object := req.table.resource.New()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxWritten))
	if err == nil {
		err = json.Unmarshal(body, object)
	}
	if err != nil {
		writeStatus(w, req.form.encoding, apierrors.NewBadRequest(err.Error()).Status())
		return
	}
	name := req.name
	if req.verb == VerbCreate {
		name = object.GetName()
	}
	if name == "" || object.GetName() != name || object.GetNamespace() != "" && object.GetNamespace() != req.namespace {
		writeStatus(w, req.form.encoding, apierrors.NewBadRequest(fmt.Sprintf("the object is %s/%s, the path says %s/%s",
			object.GetNamespace(), object.GetName(), req.namespace, name)).Status())
		return
	}
	object.SetNamespace(req.namespace)
	write, code := s.store.replace, http.StatusOK
	if req.verb == VerbCreate {
		write, code = s.store.create, http.StatusCreated
	}
	problem := write(req.table, object)
	if problem != nil {
		writeStatus(w, req.form.encoding, problem.Status())
		return
	}
	e, err := req.table.resource.encode(object, 0)
	if err != nil {
		writeStatus(w, req.form.encoding, apierrors.NewInternalError(err).Status())
		return
	}
	writeObject(w, req, code, e)
}

// create stores an object unless there is one of its name.
func (s *Store) create(t *table, object Object) *apierrors.StatusError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := find(t.objects, object.GetNamespace(), object.GetName()); found {
		return apierrors.NewAlreadyExists(t.resource.groupResource(), object.GetName())
	}
	return internal(s.put(t, object))
}

// replace stores an object in the place of the one of its name, of which it must
// have the version, or none.
func (s *Store) replace(t *table, object Object) *apierrors.StatusError {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := find(t.objects, object.GetNamespace(), object.GetName())
	if !found {
		return apierrors.NewNotFound(t.resource.groupResource(), object.GetName())
	}
	if v := object.GetResourceVersion(); v != "" && v != formatVersion(t.objects[i].Version) {
		return apierrors.NewConflict(t.resource.groupResource(), object.GetName(),
			fmt.Errorf("the object has been modified; its version is %d, not %s", t.objects[i].Version, v))
	}
	return internal(s.put(t, object))
}

func internal(err error) *apierrors.StatusError {
	if err == nil {
		return nil
	}
	return apierrors.NewInternalError(err)
}
