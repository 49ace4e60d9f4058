package compile

import (
	"github.com/kubestate/kubestate/agent/internal/cache"
	"slices"
	"strings"
	"sync"
)

// Join is a compiled Join.
type Join struct {
	Number   int
	family   string
	Resource string   // that the family is of
	Match    []string // ascending
	All      bool
	get      map[string]string // label → the name under which others get it
	template string
	// reflexive: objects of the resource get labels of themselves and of no other of
	// their kind, because Match identifies them.
	Reflexive bool
	Index     int // in program.matches, for others; -1: nobody else can match

	mu    sync.Mutex
	named *cache.Cache[string, string] // what template makes of labels
}

// maxNamed is for how many labels the names that a template makes are remembered.
const maxNamed = 10_000

// Name returns under which name others get a label of the source family.
func (j *Join) Name(label, value string) (string, bool) {
	name, ok := j.get[label]
	switch {
	case slices.Contains(j.Match, label):
		return "", false
	case ok:
		return name, value != "" || j.All
	case !j.All:
		return "", false
	case j.template == "":
		return label, true
	default:
		return j.fromTemplate(label), true
	}
}

func (j *Join) fromTemplate(label string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if name, ok := j.named.Get(label); ok {
		return name
	}
	short := strings.TrimPrefix(strings.TrimPrefix(label, "label_"), "annotation_")
	name := strings.NewReplacer("%%label%%", short, "%%annotation%%", short).Replace(j.template)
	j.named.Put(strings.Clone(label), name)
	return name
}
