package cluster

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podsPerNamespace is how many pods there are for each namespace of a team.
const podsPerNamespace = 250

// namespaces makes the system namespaces and enough namespaces of teams.
func (g *generator) namespaces() error {
	g.namespaceNames = append(systemNamespaces(), g.teamNamespaces(2+g.Pods/podsPerNamespace)...)
	slices.Sort(g.namespaceNames)
	for _, name := range g.namespaceNames {
		namespace := &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{
				Name:              name,
				UID:               g.uid(),
				CreationTimestamp: g.ago(g.between(200*24*time.Hour, 600*24*time.Hour)),
				Labels: map[string]string{
					corev1.LabelMetadataName:             name,
					"pod-security.kubernetes.io/enforce": "baseline",
				},
				Annotations: map[string]string{"example.com/cost-centre": fmt.Sprintf("cc-%04d", g.rand.IntN(10_000))},
			},
			Spec:   corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
			Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
		}
		if err := g.put(namespace, "kubectl-client-side-apply", "kube-controller-manager", "v1", nil); err != nil {
			return err
		}
		if slices.Contains(systemNamespaces(), name) {
			continue
		}
		if err := g.tenancy(namespace); err != nil {
			return err
		}
	}
	return nil
}

// teamNamespaces names n namespaces after teams and environments.
func (g *generator) teamNamespaces(n int) []string {
	names := make([]string, 0, n)
	for round := 1; ; round++ {
		for _, environment := range environments() {
			for _, team := range teams() {
				if len(names) == n {
					return names
				}
				name := team + "-" + environment
				if round > 1 {
					name = fmt.Sprintf("%s-%d", name, round)
				}
				names = append(names, name)
			}
		}
	}
}
