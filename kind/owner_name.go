package kind

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// This file holds what names tell of owners: controllers build the name of what
// they make from their own.

// ownerByName tells the owner of a ReplicaSet from its name, which ends in the
// hash of the Pod template that its controller gave it, and that is a label of
// the ReplicaSet and of its Pods. So no ReplicaSet has to be known for most Pods.
func ownerByName(objectLabels map[string]string, replicaSet string) (Owner, bool) {
	for _, c := range hashLabels() {
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

// hashLabels returns the labels with the end of a ReplicaSet's name, and the kind
// that sets them.
func hashLabels() [2]struct{ hash, kind string } {
	return [2]struct{ hash, kind string }{
		{"pod-template-hash", "Deployment"},
		{"rollouts-pod-template-hash", "Rollout"}, // of Argo Rollouts
	}
}

// OwnerByName tells which Deployment made a ReplicaSet, or which CronJob made a
// Job, from the name alone. It is a guess, right for what those controllers make:
// their name, a dash, and a suffix of three characters or more that is digits or,
// for a ReplicaSet, nothing but what hashes in names consist of. Of other kinds,
// and of names of other forms, it is not ok. It allocates nothing.
func OwnerByName(kind, name string) (owner Owner, ok bool) {
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
	// safeAlphabet is what Kubernetes writes hashes and random suffixes with: it
	// spells no bad words.
	safeAlphabet = "bcdfghjklmnpqrstvwxz2456789"
)

func consistsOf(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }

// taggedOwner returns the owner of a Pod as the labels owner_kind and owner_name
// tell it: the first that says whether it is the controller, else the last,
// followed to its own owner as far as names tell.
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
	if owner, ok := OwnerByName(r.Kind, r.Name); ok {
		return owner
	}
	return Owner{r.Kind, r.Name}
}
