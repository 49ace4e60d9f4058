// Package spell suggests the name that a misspelled name was meant to be. It does not
// know what is named.
package spell

// maxTypos is the maximum edit distance of a suggestion.
const maxTypos = 3

// Near returns a suggestion for the end of an error, such as "did you mean pods?", or
// "" if no name is similar.
func Near(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Hint is Near with a leading semicolon.
func Hint(name string, names []string) string {
	if near := Near(name, names); near != "" {
		return "; " + near
	}
	return ""
}

// nearest returns the first of the names with the smallest edit distance from name, or
// "" if none is similar.
func nearest(name string, names []string) string {
	best, least := "", min(maxTypos, len(name)/2)+1
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance returns the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // distances of the processed prefix of a from each prefix of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
