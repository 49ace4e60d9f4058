package kind

// Keys are compiled patterns that select keys of labels or annotations. The zero
// value selects none.
type Keys struct{ patterns keyPatterns }

// CompileKeys compiles patterns as in Options.Labels. The error lists all invalid patterns
// and what they select.
func CompileKeys(of string, patterns []string) (Keys, error) {
	k, err := compileKeys(of, patterns)
	return Keys{k}, err
}

// Empty reports whether no key is selected.
func (k *Keys) Empty() bool { return k.patterns.empty() }

// Match reports whether a key is selected. It allocates nothing.
func (k *Keys) Match(key string) bool { return k.patterns.match(key) }
