package cluster

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// put stores an object with the managed fields of whoever wrote it and of the
// controller that keeps its status.
//
// To work out the fields costs far more than everything else about an object.
// So it is done once per shape: objects of one kind with equally many
// containers and volumes share them, down to the names in them.
func (g *generator) put(object apiserver.Object, manager, statusManager, apiVersion string, spec *corev1.PodSpec) error {
	shape := shapeOf(object, spec)
	entries, known := g.fieldSets[shape]
	if !known {
		var err error
		if entries, err = managed(object, manager, statusManager, apiVersion); err != nil {
			return err
		}
		g.fieldSets[shape] = entries
	}
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].Time = new(object.GetCreationTimestamp())
	}
	object.SetManagedFields(entries)
	return g.store.Put(object)
}

// shapeOf returns a key that distinguishes objects with very different managed fields.
func shapeOf(object apiserver.Object, spec *corev1.PodSpec) string {
	if spec == nil {
		spec = &corev1.PodSpec{}
	}
	return fmt.Sprintf("%T %d %d %d %d", object, len(object.GetOwnerReferences()),
		len(spec.InitContainers), len(spec.Containers), len(spec.Volumes))
}

// managed returns the managedFields entries of an object of which one manager
// wrote the status and another the rest.
func managed(object apiserver.Object, manager, statusManager, apiVersion string) ([]metav1.ManagedFieldsEntry, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("managed fields of %T: %w", object, err)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("managed fields of %T: %w", object, err)
	}
	status, hasStatus := tree["status"]
	delete(tree, "status")
	dropIdentity(tree)
	set, err := json.Marshal(fieldSet(tree))
	if err != nil {
		return nil, fmt.Errorf("managed fields of %T: %w", object, err)
	}
	entries := []metav1.ManagedFieldsEntry{managedEntry(manager, "", apiVersion, set)}
	if !hasStatus {
		return entries, nil
	}
	set, err = json.Marshal(fieldSet(map[string]any{"status": status}))
	if err != nil {
		return nil, fmt.Errorf("managed fields of %T: %w", object, err)
	}
	return append(entries, managedEntry(statusManager, "status", apiVersion, set)), nil
}

func managedEntry(manager, subresource, apiVersion string, set []byte) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: subresource, APIVersion: apiVersion,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(set)),
	}
}

// dropIdentity removes the fields that no manager owns.
func dropIdentity(tree map[string]any) {
	delete(tree, "kind")
	delete(tree, "apiVersion")
	metadata, ok := tree["metadata"].(map[string]any)
	if !ok {
		return
	}
	for _, name := range []string{"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		delete(metadata, name)
	}
}

// fieldSet returns the fields below a JSON object, as a tree of names.
func fieldSet(object map[string]any) map[string]any {
	set := map[string]any{}
	for name, value := range object {
		below := map[string]any{}
		switch value := value.(type) {
		case map[string]any:
			below = fieldSet(value)
		case []any:
			below = itemSet(value, listKey(name))
		}
		set["f:"+name] = below
	}
	return set
}

// itemSet returns the fields of the items of a list. A list without a key is
// owned as a whole.
func itemSet(items []any, key string) map[string]any {
	set := map[string]any{}
	for _, item := range items {
		object, ok := item.(map[string]any)
		if !ok || object[key] == nil {
			continue
		}
		name, err := json.Marshal(map[string]any{key: object[key]})
		if err != nil {
			continue // the value came from JSON and always goes back
		}
		below := fieldSet(object)
		below["."] = struct{}{}
		set["k:"+string(name)] = below
	}
	return set
}

// listKey returns the field that identifies the items of a list in the API.
func listKey(list string) string {
	switch list {
	case "containers", "initContainers", "env", "volumes":
		return "name"
	case "conditions", "addresses":
		return "type"
	case "podIPs", "hostIPs":
		return "ip"
	case "ports":
		return "containerPort"
	case "volumeMounts":
		return "mountPath"
	case "ownerReferences":
		return "uid"
	}
	return ""
}
