package compile

import "testing"

func TestPatterns(t *testing.T) {
	p := compilePatterns(map[string]string{"cpu": "1", "CPU-*": "2", "cpu-*-x": "3", "*": "4", "*-y": "5", "": "6"})
	for value, want := range map[string]string{
		"cpu": "1 ", "CPU": "1 ", "cpu-Ab": "2 Ab", "Cpu-Ab-X": "3 Ab", "cpu--x": "3 ", "cpu-x": "2 x", "other": "4 other", "a-y": "5 a", "": "6 ", "Ünï-y": "5 Ünï",
	} {
		text, captured, ok := p.find(value)
		if got := text + " " + captured; got != want || !ok {
			t.Errorf("%q finds %q, want %q", value, got, want)
		}
	}
	p = compileList([]string{"a", "b*"})
	if _, _, ok := p.find("c"); ok {
		t.Error("found c in a and b*")
	}
}
