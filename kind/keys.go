package kind

// Keys are compiled patterns of the keys of labels or annotations, for whoever
// picks some of those beside the families of a table. The zero value admits none.
type Keys struct{ patterns keyPatterns }

// CompileKeys compiles patterns as Options.Labels has them, but for the sole *,
// which admits every key wherever it stands. The error names all bad patterns and
// says what they are of.
func CompileKeys(of string, patterns []string) (Keys, error) {
	k, err := compileKeys(of, patterns)
	for _, p := range patterns {
		k.all = k.all || p == "*"
	}
	return Keys{k}, err
}

// Empty reports whether no key is admitted.
func (k *Keys) Empty() bool { return k.patterns.empty() }

// Match reports whether a key is admitted. It allocates nothing.
func (k *Keys) Match(key string) bool { return k.patterns.all || k.patterns.match(key) }
