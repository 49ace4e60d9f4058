package oldway

import (
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// rolloutLabel marks Pods of an Argo Rollout.
const rolloutLabel = "label_rollouts_pod_template_hash"

// tag creates host and tags from the labels of a series and joined labels. overrides
// replace entries of tagNames.
func (r *run) tag(labels []*dto.LabelPair, overrides map[string]string) (host string, tags []string) {
	var joined []label
	for _, j := range r.joins {
		joined = append(joined, j.lookup(labels)...)
	}
	b := builder{tags: make([]string, 0, len(labels)+len(joined)+2), names: r.tags, overrides: overrides}
	for _, l := range labels {
		b.add(l.GetName(), l.GetValue())
	}
	for _, l := range joined {
		b.add(l.name, l.value)
	}
	if key, ok := r.owners[b.ownerKind]; ok && b.ownerName != "" {
		b.addOwner(key)
	}
	return b.host, b.tags
}

// builder collects the tags of one series.
type builder struct {
	names, overrides map[string]string

	tags                 []string
	host                 string
	ownerKind, ownerName string
	rollout              bool
}

func (b *builder) add(name, value string) {
	if name == "ephemeral" || name == "container" && value == "" {
		return // labels younger than the check, on series of autoscalers and claims
	}
	switch name {
	case "created_by_kind", "owner_kind":
		b.ownerKind = value
		return
	case "created_by_name", "owner_name":
		b.ownerName = value
		return
	case rolloutLabel:
		b.rollout = value != ""
		return
	}
	key, ok := b.names[name]
	if !ok {
		key = name
	}
	if override, ok := b.overrides[key]; ok {
		key = override
	}
	if key == "node" || key == "host" {
		b.host = value
	}
	b.tags = append(b.tags, key+":"+value)
}

// addOwner adds tags for the owner of the object and, if its name indicates it, for the
// owner of that.
func (b *builder) addOwner(key string) {
	b.tags = append(b.tags, key+":"+b.ownerName)
	switch b.ownerKind {
	case "ReplicaSet":
		if deployment, ok := deploymentOf(b.ownerName); ok {
			b.tags = append(b.tags, "kube_deployment:"+deployment)
			if b.rollout {
				b.tags = append(b.tags, "kube_argo_rollout:"+deployment)
			}
		}
	case "Job":
		if cronJob, _, ok := cronJobOf(b.ownerName); ok {
			b.tags = append(b.tags, "kube_cronjob:"+cronJob)
		}
	}
}

// deploymentOf derives the Deployment from the name of a ReplicaSet.
func deploymentOf(replicaSet string) (deployment string, ok bool) {
	name, suffix, ok := cutSuffix(replicaSet)
	return name, ok && (strings.Trim(suffix, digits) == "" || strings.Trim(suffix, "bcdfghjklmnpqrstvwxz2456789") == "")
}

// cronJobOf derives the CronJob, and the increasing number of the Job, from the name of
// a Job.
func cronJobOf(job string) (cronJob, number string, ok bool) {
	name, suffix, ok := cutSuffix(job)
	return name, suffix, ok && strings.Trim(suffix, digits) == ""
}

const digits = "0123456789"

// cutSuffix cuts a name at the last dash; the suffix must have at least three
// characters.
func cutSuffix(name string) (before, suffix string, ok bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 1 || len(name)-dash-1 < 3 {
		return "", "", false
	}
	return name[:dash], name[dash+1:], true
}

// without returns tags without those of a key.
func without(tags []string, key string) []string {
	kept := make([]string, 0, len(tags))
	for _, t := range tags {
		if !strings.HasPrefix(t, key+":") {
			kept = append(kept, t)
		}
	}
	return kept
}
