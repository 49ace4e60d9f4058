// Package shard decides which objects one of several instances is responsible for.
//
// Two ways to divide objects exist. The client side uses the jump consistent hash
// of kube-state-metrics over the FNV-1a hash of an object's UID, so that a cluster
// keeps its assignment when it switches. The server side ([Shard.Selector]) uses
// contiguous ranges of the same FNV-1a hash, because that is all that the API
// server's sharded list and watch (KEP-5866) can select.
package shard

import (
	"fmt"
	"math/bits"
)

// Shard is one of Total instances. The zero value is invalid; [Whole] owns
// everything.
type Shard struct {
	Index int32 // 0-based
	Total int
	// Ranges divides the hash space into contiguous ranges, as the server does,
	// instead of by jump hash. All shards of a deployment must agree on it.
	Ranges bool
}

// Whole is the only shard of one.
func Whole() Shard { return Shard{Total: 1} }

// None owns nothing.
func None() Shard { return Shard{Index: -1} }

// All reports whether the shard owns every object.
func (s Shard) All() bool { return s.Total == 1 && s.Index == 0 }

// Owns reports whether the object with this UID belongs to the shard. As in
// kube-state-metrics, a total of 0 or an index beyond the total owns nothing. It
// does not allocate when uid is a string or a short-lived []byte.
func Owns[T ~string | ~[]byte](s Shard, uid T) bool {
	switch {
	case s.All():
		return true
	case s.Total <= 0 || s.Index < 0 || int64(s.Index) >= int64(s.Total):
		return false
	}
	h := Hash(uid)
	if s.Ranges {
		return rangeOf(h, s.Total) == int64(s.Index)
	}
	return jump(h, s.Total) == int64(s.Index)
}

// Hash is the 64-bit FNV-1a hash of a UID.
func Hash[T ~string | ~[]byte](uid T) uint64 {
	const prime = 1099511628211
	h := uint64(offsetBasis)
	for i := range len(uid) {
		h = (h ^ uint64(uid[i])) * prime
	}
	return h
}

// offsetBasis is the FNV-1a hash of nothing.
const offsetBasis = 14695981039346656037

// jump is the jump consistent hash of Lamping and Veach: of n buckets, the one that
// key belongs to. Growing n by one moves only the keys that the new bucket takes.
func jump(key uint64, n int) int64 {
	bucket, next := int64(-1), int64(0)
	for next < int64(n) {
		bucket = next
		key = key*2862933555777941757 + 1
		next = int64(float64(bucket+1) * (float64(int64(1)<<31) / float64((key>>33)+1)))
	}
	return bucket
}

// rangeOf returns which of n equal ranges of the hash space h lies in.
func rangeOf(h uint64, n int) int64 {
	index, _ := bits.Mul64(h, uint64(n))
	return int64(index)
}

// Selector returns the shardSelector of a sharded list or watch (KEP-5866) that
// selects what a shard with Ranges owns.
func (s Shard) Selector() string {
	return fmt.Sprintf("shardRange(object.metadata.uid, '%s', '%s')", s.bound(s.Index), s.bound(s.Index+1))
}

// bound is the first hash of range i, in hexadecimal. The end of the last range
// does not fit into 64 bits.
func (s Shard) bound(i int32) string {
	if int64(i) >= int64(s.Total) {
		return "0x10000000000000000"
	}
	// The smallest h with h*n/2^64 >= i is i*2^64/n, rounded up.
	quotient, rest := bits.Div64(uint64(i), 0, uint64(s.Total))
	if rest > 0 {
		quotient++
	}
	return fmt.Sprintf("0x%016x", quotient)
}
