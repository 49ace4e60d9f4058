package compile

import (
	"slices"
	"strings"
	"sync"

	"github.com/kubestate/kubestate/agent/internal/cache"
)

// Join is a compiled naming.Join.
type Join struct {
	Number   int
	family   string
	Resource string   // that the family is of
	Match    []string // ascending
	All      bool
	get      map[string]string // label → the name under which others get it
	template string
	// reflexive means that objects of the resource get only their own labels, because Match
	// identifies them.
	Reflexive bool
	Index     int // in program.matches, for others; -1: nobody else can match

	mu    sync.Mutex
	named *cache.Cache[string, string] // what template makes of labels
}

// maxNamed limits the cache of names made from a template.
const maxNamed = 10_000

// Name returns the name under which other series get a label of the source family.
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
