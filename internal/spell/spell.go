// Package spell finds the name that somebody may have meant. It does not know
// what the names are of.
package spell

// maxTypos is how many letters a name may be wrong in and still be recognised.
const maxTypos = 3

// Near returns a question for the end of an error, "did you mean pods?", about the
// name that is most like another; "" where there is none.
func Near(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Hint is Near behind a semicolon.
func Hint(name string, names []string) string {
	if near := Near(name, names); near != "" {
		return "; " + near
	}
	return ""
}

// nearest returns the first of names that is most like name: a few letters are
// wrong, missing or too many. It returns "" where none is.
func nearest(name string, names []string) string {
	best, least := "", min(maxTypos, len(name)/2)+1
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance returns how many bytes to replace, add or remove to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // from the part of a that was seen to each beginning of b
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
