package cluster

import (
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// Config sizes a synthetic cluster. Everything else follows from it:
// the same configuration gives the same bytes.
type Config struct {
	Nodes int // at least 1
	Pods  int
	Seed  uint64
	// Time is the moment the cluster is seen at; objects are older. Zero means
	// a fixed moment in 2026.
	Time time.Time
}

// generators make the kinds of the cluster in this order. A kind is added
// with one function here and one line in Resources.
func generators() []func(*generator) error {
	return []func(*generator) error{
		(*generator).namespaces,
		(*generator).storageClasses,
		(*generator).nodes,
		(*generator).leases,
		(*generator).workloads,
	}
}

// generator makes the objects of one cluster.
type generator struct {
	Config
	store *apiserver.Store
	rand  *rand.Rand

	namespaceNames []string
	nodeNames      []string
	addresses      uint64                                 // handed out so far
	fieldSets      map[string][]metav1.ManagedFieldsEntry // by shape of object
	pool           []byte                                 // that blobs are cut from
}

// Generate fills a store that serves Resources with a synthetic cluster. An
// error names the sizes that are not possible, or the object that the store
// refused.
func Generate(store *apiserver.Store, config Config) error {
	if config.Nodes < 1 || config.Pods < 0 {
		return fmt.Errorf("generate cluster: nodes must be at least 1 and pods at least 0, got %d and %d", config.Nodes, config.Pods)
	}
	g := newGenerator(store, config)
	for _, generate := range generators() {
		if err := generate(g); err != nil {
			return fmt.Errorf("generate cluster: %w", err)
		}
	}
	return nil
}

func newGenerator(store *apiserver.Store, config Config) *generator {
	if config.Time.IsZero() {
		config.Time = time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC)
	}
	return &generator{
		Config:    config,
		store:     store,
		fieldSets: map[string][]metav1.ManagedFieldsEntry{},
		rand:      rand.New(rand.NewPCG(config.Seed, 0x6b756265)),
	}
}

// ago returns a moment before the cluster's time, in whole seconds as the API
// stores them.
func (g *generator) ago(d time.Duration) metav1.Time {
	return metav1.NewTime(g.Time.Add(-d).Truncate(time.Second))
}

// between draws an age between two others.
func (g *generator) between(from, to time.Duration) time.Duration {
	return from + time.Duration(g.rand.Int64N(int64(to-from)))
}

// chance is true in the given share of calls.
func (g *generator) chance(share float64) bool { return g.rand.Float64() < share }

func (g *generator) uid() types.UID {
	a, b := g.rand.Uint64(), g.rand.Uint64()
	const version4, variant = 0x4000, 0x8000
	return types.UID(fmt.Sprintf("%08x-%04x-%04x-%04x-%012x",
		uint32(a>>32), uint16(a>>16), uint16(a)&0x0fff|version4, uint16(b>>48)&0x3fff|variant, b&(1<<48-1)))
}

// nameAlphabet is what the API server makes generated names from.
const nameAlphabet = "bcdfghjklmnpqrstvwxz2456789"

// suffix draws the random end of a generated name.
func (g *generator) suffix(length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = nameAlphabet[g.rand.IntN(len(nameAlphabet))]
	}
	return string(b)
}

// freePodName draws a generated name that no pod has yet.
func (g *generator) freePodName(namespace, prefix string) string {
	for {
		name := prefix + g.suffix(5)
		if _, taken := g.store.Get("pods", namespace, name); !taken {
			return name
		}
	}
}

// digest draws a container or image digest.
func (g *generator) digest() string {
	return fmt.Sprintf("sha256:%016x%016x%016x%016x", g.rand.Uint64(), g.rand.Uint64(), g.rand.Uint64(), g.rand.Uint64())
}

func (g *generator) pick(choices []string) string { return choices[g.rand.IntN(len(choices))] }

// address numbers the hosts of 10.0.0.0/8.
func (g *generator) address() string {
	g.addresses++
	n := g.addresses
	return fmt.Sprintf("10.%d.%d.%d", 64+n>>16&0x7f, n>>8&0xff, n&0xff)
}
