package apiserver

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// listBuffer is the size of the pieces in which list bodies are written.
const listBuffer = 64 << 10

// page is what one list request answers.
type page struct {
	meta  metav1.ListMeta
	items []*Encoded
}

// position is the content of a continue token: the next page starts after
// this object, at this version.
type position struct {
	Version   uint64 `json:"rv"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"name"`
}

func (s *Server) serveList(w http.ResponseWriter, req request) {
	p, problem := s.page(req)
	if problem != nil {
		writeStatus(w, req.form.encoding, problem.Status())
		return
	}
	w.Header().Set("Content-Type", req.form.encoding.contentType(false))
	out := bufio.NewWriterSize(w, listBuffer)
	kind := req.listKind()
	var err error
	if req.form.encoding == encodeProtobuf {
		err = writeProtobufList(out, kind, p)
	} else {
		err = writeJSONList(out, kind, req.form.printer, p)
	}
	if err != nil || out.Flush() != nil {
		// The header is sent: only a broken connection can signal the error.
		panic(http.ErrAbortHandler)
	}
}

// page selects the objects that a list request asks for.
func (s *Server) page(req request) (page, *apierrors.StatusError) {
	objects, version, problem := s.objectsAt(req)
	if problem != nil {
		return page{}, problem
	}
	after, problem := req.start()
	if problem != nil {
		return page{}, problem
	}
	limit := req.options.limit
	if req.options.version == "0" {
		limit = 0 // "any version" is served from the watch cache, which knows no pages
	}
	p := page{meta: metav1.ListMeta{ResourceVersion: formatVersion(version)}}
	begin := 0
	if req.verb == VerbPage {
		begin, _ = find(objects, after.Namespace, after.Name+"\x00")
	}
	for i, e := range objects[begin:] {
		if !req.selects(e) {
			continue
		}
		if limit > 0 && len(p.items) == limit {
			s.store.keep(req.table, version, objects)
			p.meta.Continue = token(version, p.items[limit-1])
			if remaining := int64(len(objects) - begin - i); req.options.fields.Empty() && req.options.labels.Empty() {
				p.meta.RemainingItemCount = &remaining
			}
			break
		}
		shown, err := req.item(e)
		if err != nil {
			return page{}, apierrors.NewInternalError(err)
		}
		p.items = append(p.items, shown)
	}
	if req.endless && p.meta.Continue == "" && len(objects) > 0 {
		s.store.keep(req.table, version, objects)
		p.meta.Continue = token(version, objects[len(objects)-1])
	}
	return p, nil
}

// objectsAt returns the objects at the version that the request asks for.
func (s *Server) objectsAt(req request) ([]*Encoded, uint64, *apierrors.StatusError) {
	if req.verb == VerbPage {
		start, problem := req.start()
		if problem != nil {
			return nil, 0, problem
		}
		objects, ok := s.store.past(req.table, start.Version)
		if !ok {
			return nil, 0, expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
		}
		return objects, start.Version, nil
	}
	wanted, problem := parseVersion(req.options.version)
	if problem != nil {
		return nil, 0, problem
	}
	objects, current := s.store.list(req.table)
	if wanted > current {
		return nil, 0, tooLargeVersion(wanted, current)
	}
	// A page of a version without a match means exactly that version, as on the
	// real server.
	exact := req.options.match == metav1.ResourceVersionMatchExact || req.options.match == "" && req.options.limit > 0 && wanted > 0
	if exact && wanted != current {
		objects, ok := s.store.past(req.table, wanted)
		if !ok {
			return nil, 0, expired("The resourceVersion for the provided list is too old.")
		}
		return objects, wanted, nil
	}
	return objects, current, nil
}

// start decodes the continue token; without one it is the zero position.
func (r *request) start() (position, *apierrors.StatusError) {
	var p position
	if r.options.continueToken == "" {
		return p, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(r.options.continueToken)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return p, apierrors.NewBadRequest("continue key is not valid: " + err.Error())
	}
	return p, nil
}

func token(version uint64, last *Encoded) string {
	data, err := json.Marshal(position{Version: version, Namespace: last.Namespace, Name: last.Name})
	if err != nil {
		return "" // two strings and a number always encode
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseVersion(text string) (uint64, *apierrors.StatusError) {
	if text == "" {
		return 0, nil
	}
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, apierrors.NewBadRequest("resourceVersion is not valid: " + err.Error())
	}
	return version, nil
}

// tooLargeVersion is the error for a version that is still to come. Clients
// recognise it by its cause.
func tooLargeVersion(wanted, current uint64) *apierrors.StatusError {
	e := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", wanted, current), 1)
	e.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version",
	}}
	return e
}

// writeProtobufList writes the list message (1: ListMeta, 2: items, as in
// every Kubernetes list) without building it: items go out as they are stored.
func writeProtobufList(w io.Writer, kind schema.GroupVersionKind, p page) error {
	meta, err := p.meta.Marshal()
	if err != nil {
		return err
	}
	size := fieldSize(len(meta))
	for _, e := range p.items {
		size += fieldSize(len(e.message))
	}
	if _, err := io.WriteString(w, protobufMagic); err != nil {
		return err
	}
	list := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind}}
	_, err = list.MarshalToWriter(w, size, func(w io.Writer) (int, error) {
		return writeFields(w, meta, p.items)
	})
	return err
}

func writeFields(w io.Writer, meta []byte, items []*Encoded) (int, error) {
	written, err := w.Write(appendFirstField(nil, meta))
	if err != nil {
		return written, err
	}
	header := make([]byte, 0, 16)
	for _, e := range items {
		for _, piece := range [][]byte{appendFieldHeader(header, 2, len(e.message)), e.message} {
			n, err := w.Write(piece)
			written += n
			if err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// item returns an object as the list has it. The rows of a Table share its columns.
func (r *request) item(e *Encoded) (*Encoded, error) {
	if r.form.as == tableKind {
		return e.row(r.form.printer, r.form.include)
	}
	return r.form.convert(e)
}

// writeJSONList writes the list or the Table of a resource, one item after another.
func writeJSONList(w *bufio.Writer, kind schema.GroupVersionKind, shown printer, p page) error {
	meta, err := json.Marshal(p.meta)
	if err != nil {
		return err
	}
	items := `"items":[`
	if kind.Kind == tableKind {
		columns, err := json.Marshal(shown.columns)
		if err != nil {
			return err
		}
		items = `"columnDefinitions":` + string(columns) + `,"rows":[`
	}
	fmt.Fprintf(w, `{"kind":%q,"apiVersion":%q,"metadata":%s,%s`, kind.Kind, kind.GroupVersion(), meta, items)
	for i, e := range p.items {
		item, err := e.json(kind.Kind == partialObjectList) // only these items name their kind
		if err != nil {
			return err
		}
		if i > 0 {
			_ = w.WriteByte(',') // bufio reports a failed write at the flush
		}
		if _, err := w.Write(item); err != nil {
			return err
		}
	}
	_, err = w.WriteString("]}\n")
	return err
}
