package agent

import (
	"strconv"
	"strings"
)

// The labels that name an owner.
const (
	createdByKind = "created_by_kind"
	createdByName = "created_by_name"
	ownerKind     = "owner_kind"
	ownerName     = "owner_name"
)

// safeAlphabet are the characters of the hashes that Kubernetes makes names of.
const safeAlphabet = "bcdfghjklmnpqrstvwxz2456789"

// minSuffix is the least length of what controllers put behind the last dash.
const minSuffix = 3

// DeploymentOf returns the name of the Deployment that a ReplicaSet belongs to, if
// the name of the latter is formed as such: <deployment>-<hash>.
func DeploymentOf(replicaSet string) (string, bool) {
	name, hash, ok := cutSuffix(replicaSet)
	if !ok || !consistsOf(hash, safeAlphabet) && !consistsOf(hash, digits) {
		return "", false
	}
	return name, true
}

// CronJobOf returns the name of the CronJob that a Job belongs to and the number
// that its controller gave the Job, if the name of the latter is formed as such:
// <cronjob>-<number>. Numbers grow with time.
func CronJobOf(job string) (name string, number int64, ok bool) {
	name, suffix, ok := cutSuffix(job)
	if !ok || !consistsOf(suffix, digits) {
		return "", 0, false
	}
	number, err := strconv.ParseInt(suffix, 10, 64)
	return name, number, err == nil
}

const digits = "0123456789"

// cutSuffix cuts a name at its last dash.
func cutSuffix(s string) (name, suffix string, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 1 || len(s)-i-1 < minSuffix {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// consistsOf tells whether all bytes of s are among those of set.
func consistsOf(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}
