// Package logged remembers which messages were logged, so that a recurring one is
// logged once. It does not log.
package logged

// most bounds the number of messages that are remembered.
const most = 256

// Messages is a set of logged messages. The zero value is empty. It is not safe for
// concurrent use.
type Messages struct{ known map[string]struct{} }

// New adds a message and reports whether it is new. When the set is full, it starts
// over.
func (m *Messages) New(message string) bool {
	if _, known := m.known[message]; known {
		return false
	}
	if m.known == nil || len(m.known) == most {
		m.known = map[string]struct{}{}
	}
	m.known[message] = struct{}{}
	return true
}
