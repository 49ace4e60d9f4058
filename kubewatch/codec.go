package kubewatch

import (
	"errors"
	"fmt"
	"io"
	"mime"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// The media types that the API server sends.
const (
	mediaJSON     = "application/json"
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
)

// accepted says in which forms objects may come, the preferred one first.
type accepted struct {
	table    string // as rows, of which only metadata and what is printed is sent
	metadata string // of which only the metadata is sent
	whole    string
}

// Custom resources are served as JSON only, hence the second choice of whole
// objects. Their metadata alone the server sends as protobuf. Tables are JSON always.

func acceptList() accepted {
	return accepted{
		table:    mediaTable,
		metadata: mediaProtobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
		whole:    mediaProtobuf + "," + mediaJSON,
	}
}

func acceptWatch() accepted {
	return accepted{
		table:    mediaTable,
		metadata: mediaProtobuf + ";stream=watch;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
		whole:    mediaProtobuf + ";stream=watch," + mediaJSON + ";stream=watch",
	}
}

// maxObject bounds one object, in bytes. etcd takes 1.5 MiB by default and the
// API server's request limit is 3 MiB; clusters that raise them stay well below,
// so that more can only be a broken stream.
const maxObject = 16 << 20

// maxKept bounds memory that is kept for the next objects, in bytes: the one that
// is larger shall not cost for ever.
const maxKept = 256 << 10

// errInvalidResponse is for bodies that do not have the form their media type asks for.
var errInvalidResponse = errors.New("invalid response")

// message is anything of the Kubernetes API that has both forms.
type message interface {
	Unmarshal(data []byte) error
}

// event is one event of a watch, its object undecoded.
type event struct {
	Type   watch.EventType
	Object []byte
}

// A frameReader cuts the body of a watch into the frames that hold one event
// each. A frame is valid until the next call. The error is io.EOF itself where
// the body ends after a frame.
type frameReader interface {
	next() ([]byte, error)
	// calm says that from now on events come one by one, so that memory for many at
	// once can go.
	calm()
}

// A codec reads the bodies of one media type. Codecs are stateless, but for what
// tableCodec remembers of the body that it reads. Cutting a
// body into objects and decoding them are apart, so that they can run at the same
// time: cutting has to go in order, decoding has not.
type codec interface {
	frames(r io.Reader) frameReader
	// single returns the object of a response that is one object, such as a Status. It
	// refers to the memory of body.
	single(body []byte) ([]byte, error)
	// event reads a frame. The event refers to the frame's memory.
	event(frame []byte) (event, error)
	// list calls item with each object of a list. The object is valid until item
	// returns.
	list(r io.Reader, item func(object []byte)) (metav1.ListMeta, error)
	// strip appends to buf an object as decode takes it, if it can without the
	// fields that f drops.
	strip(buf, object []byte, f *wire.Filter) []byte
	// uid returns the UID of an object, empty if it has none. It may refer to the memory
	// of object.
	uid(object []byte) []byte
	// decode reads an object. What it decodes refers to no memory of object.
	decode(object []byte, into message) error
	// renew returns an object to decode into: last, emptied, where nothing of what
	// it held can come back.
	renew(t *kind.Table, last kind.Object) kind.Object
}

func codecFor(contentType string) (codec, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil {
		switch media {
		case mediaProtobuf:
			return protobufCodec{}, nil
		case mediaJSON:
			return jsonCodec{}, nil
		}
	}
	return nil, fmt.Errorf("%w: content type %q is neither %s nor %s", errInvalidResponse, contentType, mediaProtobuf, mediaJSON)
}
