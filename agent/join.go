package agent

import (
	"slices"
	"strings"
	"sync"
)

// joinSource is a compiled Join.
type joinSource struct {
	number   int
	family   string
	resource string   // that the family is of
	match    []string // ascending
	all      bool
	get      map[string]string // label → the name under which others get it
	template string
	// reflexive: objects of the resource get labels of themselves and of no other of
	// their kind, because Match identifies them.
	reflexive bool
	index     int // in program.matches, for others; -1: nobody else can match

	mu    sync.Mutex
	named *cache[string, string] // what template makes of labels
}

// maxNamed is for how many labels the names that a template makes are remembered.
const maxNamed = 10_000

// name returns under which name others get a label of the source family.
func (j *joinSource) name(label, value string) (string, bool) {
	name, ok := j.get[label]
	switch {
	case slices.Contains(j.match, label):
		return "", false
	case ok:
		return name, value != "" || j.all
	case !j.all:
		return "", false
	case j.template == "":
		return label, true
	default:
		return j.fromTemplate(label), true
	}
}

func (j *joinSource) fromTemplate(label string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if name, ok := j.named.get(label); ok {
		return name
	}
	short := strings.TrimPrefix(strings.TrimPrefix(label, "label_"), "annotation_")
	name := strings.NewReplacer("%%label%%", short, "%%annotation%%", short).Replace(j.template)
	j.named.put(strings.Clone(label), name)
	return name
}
