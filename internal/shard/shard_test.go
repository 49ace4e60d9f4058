package shard_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/kubestate/kubestate/internal/shard"
)

// The vectors are assignments observed in kube-state-metrics 2.20.
func TestAgreesWithRecordedAssignments(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		UID          string
		FNV1a64      string           `json:"fnv1a64"`
		ShardByTotal map[string]int32 `json:"shard_by_total"`
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		if got := strconv.FormatUint(shard.Hash(v.UID), 10); got != v.FNV1a64 {
			t.Errorf("Hash(%q) = %s, want %s", v.UID, got, v.FNV1a64)
		}
		for text, want := range v.ShardByTotal {
			total, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			for i := range int32(total) + 2 {
				s := shard.Shard{Index: i, Total: total}
				if got := shard.Owns(s, v.UID); got != (i == want) {
					t.Errorf("shard %d of %d owns %q: %v, want shard %d", i, total, v.UID, got, want)
				}
			}
		}
	}
}

func TestHashIsFNV1a(t *testing.T) {
	for _, uid := range []string{"", "a", "c8f5b1f0-9f0a-4d7d-8d4a-1f2e3d4c5b6a", "\xff\x00"} {
		h := fnv.New64a()
		_, _ = h.Write([]byte(uid))
		if got := shard.Hash([]byte(uid)); got != h.Sum64() {
			t.Errorf("Hash(%q) = %d, want %d", uid, got, h.Sum64())
		}
	}
}

// Every object belongs to exactly one shard, either way of dividing.
func TestEveryObjectHasOneOwner(t *testing.T) {
	for _, ranges := range []bool{false, true} {
		for _, total := range []int{1, 2, 3, 7, 64} {
			owned, rnd := make([]int, total), rand.New(rand.NewPCG(1, 2))
			for range 2000 {
				uid, owners := randomUID(rnd), 0
				for i := range total {
					if shard.Owns(shard.Shard{Index: int32(i), Total: total, Ranges: ranges}, uid) {
						owners++
						owned[i]++
					}
				}
				if owners != 1 {
					t.Fatalf("ranges %v, %d shards: %d own %s", ranges, total, owners, uid)
				}
			}
			for i, n := range owned {
				if n < 2000/total/3 {
					t.Errorf("ranges %v: shard %d of %d owns only %d of 2000 objects", ranges, i, total, n)
				}
			}
		}
	}
}

func TestOddShardsOwnNothing(t *testing.T) {
	for _, s := range []shard.Shard{{}, {Total: -1}, {Index: -1, Total: 2}, {Index: 2, Total: 2}, {Index: 5, Total: 1}, shard.None()} {
		if shard.Owns(s, "a") {
			t.Errorf("%+v owns an object", s)
		}
	}
	if !shard.Owns(shard.Whole(), "a") || !shard.Whole().All() {
		t.Error("the whole is not all")
	}
}

// What the server selects is what the client keeps, up to the first and last hash.
func TestSelectorAgreesWithOwns(t *testing.T) {
	if got, want := (shard.Shard{Total: 2, Ranges: true}).Selector(),
		"shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')"; got != want {
		t.Errorf("Selector() = %s, want %s", got, want)
	}
	bounds := regexp.MustCompile(`'0x([0-9a-f]+)', '0x([0-9a-f]+)'`)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, total := range []int{1, 2, 3, 5, 1000} {
		end := "0000000000000000"
		for i := range total {
			s := shard.Shard{Index: int32(i), Total: total, Ranges: true}
			m := bounds.FindStringSubmatch(s.Selector())
			if m == nil || m[1] != end {
				t.Fatalf("shard %d of %d selects %s; want it to start at 0x%s", i, total, s.Selector(), end)
			}
			end = m[2]
			for range 300 {
				uid := randomUID(rnd)
				if got, want := shard.Owns(s, uid), within(t, shard.Hash(uid), m[1], m[2]); got != want {
					t.Errorf("%+v owns %s: %v, the server selects it: %v", s, uid, got, want)
				}
			}
		}
		if end != "10000000000000000" {
			t.Errorf("the last of %d shards ends at 0x%s", total, end)
		}
	}
}

func within(t *testing.T, h uint64, from, to string) bool {
	t.Helper()
	start, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	if to == "10000000000000000" {
		return h >= start
	}
	end, err := strconv.ParseUint(to, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return h >= start && h < end
}

func TestOwnsDoesNotAllocate(t *testing.T) {
	uid, s := []byte("c8f5b1f0-9f0a-4d7d-8d4a-1f2e3d4c5b6a"), shard.Shard{Index: 1, Total: 3}
	if n := testing.AllocsPerRun(100, func() { shard.Owns(s, uid) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// randomUID looks like the UIDs of the API server: the high bits of the hash of
// short texts are not spread evenly.
func randomUID(rnd *rand.Rand) string {
	a, b := rnd.Uint64(), rnd.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0xfff, b&0xffffffffffff)
}
