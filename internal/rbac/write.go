package rbac

import (
	"bytes"
	"fmt"
	"strings"
)

// Subject is the service account that roles are bound to.
type Subject struct{ Name, Namespace string }

// YAML returns the needs as manifests: a ClusterRole for what is needed everywhere
// and a Role for each namespace, all of the same name, and their bindings if there
// is a subject. A comment above each rule says what it is for.
func YAML(name string, needs []Need, subject *Subject) []byte {
	var b bytes.Buffer
	for len(needs) > 0 {
		n := 1
		for n < len(needs) && needs[n].Namespace == needs[0].Namespace {
			n++
		}
		if b.Len() > 0 {
			b.WriteString("---\n")
		}
		writeRole(&b, name, needs[:n])
		if subject != nil {
			writeBinding(&b, name, needs[0].Namespace, subject)
		}
		needs = needs[n:]
	}
	return b.Bytes()
}

func writeRole(b *bytes.Buffer, name string, needs []Need) {
	writeHead(b, roleKind(needs[0].Namespace), name, needs[0].Namespace)
	b.WriteString("rules:\n")
	for _, n := range needs {
		fmt.Fprintf(b, "# %s\n- apiGroups: [%q]\n", n.Reason, n.Group)
		writeList(b, "resources", n.Resources)
		if len(n.Names) > 0 {
			writeList(b, "resourceNames", n.Names)
		}
		fmt.Fprintf(b, "  verbs: [%s]\n", strings.Join(n.Verbs, ", "))
	}
}

func writeList(b *bytes.Buffer, key string, values []string) {
	if len(values) == 1 {
		fmt.Fprintf(b, "  %s: [%s]\n", key, values[0])
		return
	}
	fmt.Fprintf(b, "  %s:\n  - %s\n", key, strings.Join(values, "\n  - "))
}

func writeBinding(b *bytes.Buffer, name, namespace string, subject *Subject) {
	b.WriteString("---\n")
	writeHead(b, roleKind(namespace)+"Binding", name, namespace)
	fmt.Fprintf(b, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %s\n  name: %s\n", roleKind(namespace), name)
	fmt.Fprintf(b, "subjects:\n- kind: ServiceAccount\n  name: %s\n  namespace: %s\n", subject.Name, subject.Namespace)
}

func writeHead(b *bytes.Buffer, kind, name, namespace string) {
	fmt.Fprintf(b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n", kind, name)
	if namespace != "" {
		fmt.Fprintf(b, "  namespace: %s\n", namespace)
	}
}

func roleKind(namespace string) string {
	if namespace == "" {
		return "ClusterRole"
	}
	return "Role"
}
