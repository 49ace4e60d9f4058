// Package told remembers what a log was told, so that it is told once what
// recurs. It does not know what the log is.
package told

// most bounds the texts that are remembered.
const most = 256

// Texts remembers texts. The zero value remembers none. It is for one goroutine at
// a time.
type Texts struct{ known map[string]struct{} }

// New says whether a text is none of those that it was asked for before, and
// remembers it. When very many are known, it forgets them all and begins anew.
func (t *Texts) New(text string) bool {
	if _, known := t.known[text]; known {
		return false
	}
	if t.known == nil || len(t.known) == most {
		t.known = map[string]struct{}{}
	}
	t.known[text] = struct{}{}
	return true
}
