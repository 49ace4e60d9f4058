package piece

import "testing"

func BenchmarkDeflate(b *testing.B) {
	p, text := NewPacker(), texts()[4][:16<<10]
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		p.Deflate(text)
	}
}

func BenchmarkInflate(b *testing.B) {
	p, text := NewPacker(), texts()[4][:16<<10]
	d := p.Deflate(text)
	dst := make([]byte, 0, len(text))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Inflate(dst, d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemberAdd(b *testing.B) {
	d := NewPacker().Deflate(texts()[4][:16<<10])
	var m Member
	b.ReportAllocs()
	for b.Loop() {
		m.Add(d)
	}
}
