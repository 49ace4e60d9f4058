package agent

import "github.com/kubestate/kubestate/kind"

// FieldSelector returns a Kubernetes field selector for the objects of a resource that the
// Agent collects; empty selects all. A watch may use it to read fewer objects; a Feed
// ignores the others anyway.
func (a *Agent) FieldSelector(resource string) string { return a.config.fieldSelector(resource) }

func (c *Config) fieldSelector(resource string) string {
	if c.PodMode == ClusterUnassigned && resource == kind.Pods.Name {
		return "spec.nodeName="
	}
	return ""
}

// unassignedReads returns the fields that are needed to ignore assigned Pods.
func (c *Config) unassignedReads(resource string) []string {
	if c.fieldSelector(resource) == "" {
		return nil
	}
	return []string{"spec.nodeName"}
}

// ignores reports whether an object of a resource is a Pod with a Node, which the agent on that Node collects.
func (a *Agent) ignores(resource string, o kind.Object) bool {
	return a.FieldSelector(resource) != "" && kind.NodeOf(o) != ""
}
