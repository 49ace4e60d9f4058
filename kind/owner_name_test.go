package kind_test

import (
	"testing"

	"github.com/kubestate/kubestate/kind"
)

func TestGuessOwner(t *testing.T) {
	for _, c := range []struct{ kind, name, want string }{
		{"ReplicaSet", "shop-6b8f7d9c5", "Deployment shop"},
		{"ReplicaSet", "shop-cart-6b8f7d9c5", "Deployment shop-cart"},
		{"ReplicaSet", "shop-bcd", "Deployment shop"},
		{"ReplicaSet", "shop-1013", "Deployment shop"}, // digits alone, though 0, 1 and 3 are no letters of hashes
		{"ReplicaSet", "shop-bc", ""},                  // too short for a suffix
		{"ReplicaSet", "shop-6b8f7d9c0", ""},           // 0 and letters
		{"ReplicaSet", "shop-cart", ""},                // a vowel
		{"ReplicaSet", "shop-6B8F7D9C5", ""},           // upper case
		{"ReplicaSet", "shop", ""},                     // no suffix
		{"ReplicaSet", "-6b8f7d9c5", ""},               // nothing but a suffix
		{"ReplicaSet", "shop-", ""},                    // an empty suffix
		{"ReplicaSet", "", ""},
		{"Job", "report-29012345", "CronJob report"},
		{"Job", "report-daily-123", "CronJob report-daily"},
		{"Job", "report-12", ""},
		{"Job", "report-x2k4q", ""}, // letters
		{"StatefulSet", "shop-6b8f7d9c5", ""},
		{"replicaset", "shop-6b8f7d9c5", ""},
	} {
		got := ""
		if owner, ok := kind.GuessOwner(c.kind, c.name); ok {
			got = owner.Kind + " " + owner.Name
		}
		if got != c.want {
			t.Errorf("%s %q is of %q, want %q", c.kind, c.name, got, c.want)
		}
	}
}
