package customresource

import "strings"

// plural returns the usual plural of a kind, as the API has it in paths: for where nothing
// says what it really is.
func plural(kind string) string {
	name := strings.ToLower(kind)
	irregular := map[string]string{
		"data": "data", "index": "indices", "leaf": "leaves", "media": "media", "person": "people", "sheep": "sheep",
	}
	if p, ok := irregular[name]; ok {
		return p
	}
	ends := func(endings ...string) bool {
		for _, ending := range endings {
			if strings.HasSuffix(name, ending) {
				return true
			}
		}
		return false
	}
	switch {
	case ends("ay", "ey", "oy", "uy"):
		return name + "s"
	case ends("y"):
		return strings.TrimSuffix(name, "y") + "ies"
	case ends("ss", "us", "is", "x", "z", "ch", "sh"):
		return name + "es"
	case ends("s"):
		return name
	default:
		return name + "s"
	}
}
