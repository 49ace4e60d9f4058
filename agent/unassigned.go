package agent

import "github.com/kubestate/kubestate/kind"

// FieldSelector returns the field selector of the Kubernetes API that selects all objects
// of a resource that the Agent wants, empty if it wants all. A watch may use it to read
// fewer objects; a Feed ignores the others anyway.
func (a *Agent) FieldSelector(resource string) string { return a.config.fieldSelector(resource) }

func (c *Config) fieldSelector(resource string) string {
	if c.PodMode == ClusterUnassigned && resource == kind.Pods.Name {
		return "spec.nodeName="
	}
	return ""
}

// unassignedReads returns what is read of an object in order to ignore assigned Pods.
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
