package agent

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
)

// Tags returns the tags of everything: those of the Config, and what the naming
// table makes of name and ID of the cluster. It is the caller's.
func (a *Agent) Tags() []sink.Tag {
	return slices.Clone(a.state.Fixed())
}

// SetClusterID is for an ID that is not known when the Agent is made, because the
// cluster itself is asked for it. It holds as Config.ClusterID does. Where there are
// objects already, all their tags are made anew.
func (a *Agent) SetClusterID(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config.ClusterID = id
	a.state.SetFixed(fixedTags(&a.config))
}

// fixedTags returns the tags of everything.
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

// hostSuffix returns what stands behind the names of hosts: the name of the
// cluster, in the form of a DNS label (RFC 1123).
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
