package agent

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
)

// Tags returns the tags of all series and checks: Config.Tags, and the cluster name and ID
// if the naming scheme has tags for them. The caller owns the slice.
func (a *Agent) Tags() []sink.Tag {
	return slices.Clone(a.state.Fixed())
}

// SetClusterID sets Config.ClusterID later, for an ID that has to be read from the cluster
// itself. If there are objects already, all their tags are rebuilt.
func (a *Agent) SetClusterID(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config.ClusterID = id
	a.state.SetFixed(fixedTags(&a.config))
}

// fixedTags returns the tags of all series and checks.
func fixedTags(c *Config) []sink.Tag {
	n, tags := c.Scheme, slices.Clone(c.Tags)
	if n.ClusterNameTag != "" && c.ClusterName != "" {
		name := c.ClusterName
		if n.LowerClusterName {
			name = strings.ToLower(name)
		}
		tags = append(tags, sink.Tag{Key: n.ClusterNameTag, Value: name})
	}
	if n.ClusterIDTag != "" && c.ClusterID != "" {
		tags = append(tags, sink.Tag{Key: n.ClusterIDTag, Value: c.ClusterID})
	}
	return tags
}

// hostSuffix returns the suffix of host names: a dash and the cluster name as a DNS label
// (RFC 1123), or nothing.
func hostSuffix(cluster string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '-'
		}
	}, cluster)
	if name = strings.Trim(name, "-."); name == "" {
		return ""
	}
	return "-" + name
}
