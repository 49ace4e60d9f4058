package store

import (
	"fmt"
	"log/slog"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/kubestate/kubestate/exposition"
)

// benchFeed returns a Feed of n objects, and the objects.
func benchFeed(b *testing.B, n int) (*Feed, []*appsv1.ReplicaSet) {
	b.Helper()
	b.Setenv("KUBESTATE_VALIDATE", "0")
	r := New(Config{Table: replicaSets(b), Logger: slog.New(slog.DiscardHandler)})
	f := r.NewFeed()
	f.Begin()
	objects := make([]*appsv1.ReplicaSet, n)
	for i := range objects {
		objects[i] = replicaSet(fmt.Sprintf("checkout-7d4b9c6f5d-%05d", i), 1)
		f.Put(objects[i])
	}
	f.Commit()
	return f, objects
}

func BenchmarkPut(b *testing.B) {
	const n = 10_000
	b.Run("unchanged", func(b *testing.B) {
		f, objects := benchFeed(b, n)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f.Put(objects[i%n])
		}
	})
	b.Run("one family changed", func(b *testing.B) {
		f, objects := benchFeed(b, n)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			o := objects[i%n]
			o.Status.Replicas ^= 1
			f.Put(o)
		}
	})
	b.Run("one family changed after a snapshot", func(b *testing.B) {
		f, objects := benchFeed(b, n)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			o := objects[i*blockSlots%n]
			o.Status.Replicas ^= 1
			f.resource.Snapshot(Slice{})
			f.Put(o)
		}
	})
	b.Run("new", func(b *testing.B) {
		_, objects := benchFeed(b, n)
		var f *Feed
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%n == 0 {
				f, _ = benchFeed(b, 0)
			}
			f.Put(objects[i%n])
		}
	})
	b.Run("delete and put", func(b *testing.B) {
		f, objects := benchFeed(b, n)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			o := objects[i*blockSlots%n]
			f.Delete(o.Namespace, o.Name)
			f.Put(o)
		}
	})
}

func BenchmarkRelist(b *testing.B) {
	const n = 10_000
	b.Run("unchanged", func(b *testing.B) {
		f, objects := benchFeed(b, n)
		b.ReportAllocs()
		for b.Loop() {
			f.Begin()
			for _, o := range objects {
				f.Put(o)
			}
			f.Commit()
		}
	})
	b.Run("all gone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			f, _ := benchFeed(b, n)
			f.resource.Snapshot(Slice{})
			b.StartTimer()
			f.Begin()
			f.Commit()
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f, _ := benchFeed(b, n)
			b.ReportAllocs()
			for b.Loop() {
				f.resource.Snapshot(Slice{})
			}
		})
	}
}

// copier takes what is written into one buffer, as a response does.
type copier struct{ buf [64 << 10]byte }

func (c *copier) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		p = p[copy(c.buf[:], p):]
	}
	return n, nil
}

func BenchmarkWrite(b *testing.B) {
	w := &copier{}
	f, objects := benchFeed(b, 10_000)
	for _, c := range []struct {
		name     string
		format   exposition.Format
		encoding exposition.Encoding
	}{
		{"plain", exposition.Text, exposition.Identity}, {"gzip", exposition.Text, exposition.Gzip}, {"zstd", exposition.Text, exposition.Zstd},
		{"protobuf", exposition.Protobuf, exposition.Identity}, {"protobuf gzip", exposition.Protobuf, exposition.Gzip},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(f.bytes))
			b.ReportAllocs()
			for b.Loop() {
				if err := write(w, f.resource.Snapshot(Slice{}), c.format, c.encoding); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("gzip after 1 % of objects changed", func(b *testing.B) {
		b.SetBytes(int64(f.bytes))
		b.ReportAllocs()
		for i := int32(0); b.Loop(); i++ {
			b.StopTimer()
			for j := 0; j < len(objects); j += 100 {
				objects[j].Status.Replicas = i
				f.Put(objects[j])
			}
			b.StartTimer()
			if err := write(w, f.resource.Snapshot(Slice{}), exposition.Text, exposition.Gzip); err != nil {
				b.Fatal(err)
			}
		}
	})
}
