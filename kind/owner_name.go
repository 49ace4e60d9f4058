package kind

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// This file derives owners from names: controllers build the name of what they
// create from their own.

// ownerByHash derives the owner of a ReplicaSet from its name, which ends in the
// hash of the Pod template. That hash is also a label of the ReplicaSet and of its
// Pods, so that the workload of most Pods is known without their ReplicaSet.
func ownerByHash(objectLabels map[string]string, replicaSet string) (Owner, bool) {
	for _, c := range hashes() {
		hash := objectLabels[c.hash]
		if hash == "" {
			continue
		}
		if rest, ok := strings.CutSuffix(replicaSet, hash); ok {
			if name, ok := strings.CutSuffix(rest, "-"); ok && name != "" {
				return Owner{c.kind, name}, true
			}
		}
	}
	return Owner{}, false
}

// hashLabels are the labels that hold the end of a ReplicaSet's name, and the kind
// that sets each.
type hashLabels [2]struct{ hash, kind string }

func hashes() hashLabels {
	return hashLabels{
		{"pod-template-hash", "Deployment"},
		{"rollouts-pod-template-hash", "Rollout"}, // of Argo Rollouts
	}
}

// GuessOwner guesses from the name alone which Deployment created a ReplicaSet, or
// which CronJob created a Job. It is right for names that those controllers make:
// their own, a dash, and a suffix of at least three characters that is digits or, for
// a ReplicaSet, only characters that hashes in names consist of. For other kinds and
// other names it is not ok. It allocates nothing.
func GuessOwner(kind, name string) (owner Owner, ok bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 1 {
		return Owner{}, false
	}
	name, suffix := name[:dash], name[dash+1:]
	switch {
	case len(suffix) < minNameSuffix:
	case kind == "ReplicaSet" && (consistsOf(suffix, digits) || consistsOf(suffix, safeAlphabet)):
		return Owner{"Deployment", name}, true
	case kind == "Job" && consistsOf(suffix, digits):
		return Owner{"CronJob", name}, true
	}
	return Owner{}, false
}

const (
	minNameSuffix = 3
	digits        = "0123456789"
	// safeAlphabet is what Kubernetes writes hashes and random suffixes with.
	safeAlphabet = "bcdfghjklmnpqrstvwxz2456789"
)

func consistsOf(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }

// taggedOwner returns the owner of a Pod for the labels owner_kind and owner_name:
// the first reference that says whether it is the controller, else the last, or the
// owner that can be guessed from its name.
func taggedOwner(refs []metav1.OwnerReference) Owner {
	if len(refs) == 0 {
		return Owner{"<none>", "<none>"}
	}
	r := &refs[len(refs)-1]
	for i := range refs {
		if refs[i].Controller != nil {
			r = &refs[i]
			break
		}
	}
	if owner, ok := GuessOwner(r.Kind, r.Name); ok {
		return owner
	}
	return Owner{r.Kind, r.Name}
}
