package conf

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate"
)

func TestJoin(t *testing.T) {
	s := complete(t, parseFlags(t,
		"--join=kube_pod_*=[label:app,label:team.*,annotation:a,node,node_label:topology.kubernetes.io/zone,node_annotation:b,namespace_label:c,namespace_annotation:d,workload]",
		"--join=kube_job_*=[ workload ], kube_node_info=[label:*]"))
	want := []kubestate.Join{
		{Families: "kube_job_*", Workload: true},
		{Families: "kube_node_info", Labels: []string{"*"}},
		{
			Families: "kube_pod_*", Labels: []string{"app", "team.*"}, Annotations: []string{"a"}, Node: true,
			NodeLabels: []string{"topology.kubernetes.io/zone"}, NodeAnnotations: []string{"b"},
			NamespaceLabels: []string{"c"}, NamespaceAnnotations: []string{"d"}, Workload: true,
		},
	}
	if diff := cmp.Diff(want, s.Exporter.Joins); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := kubestate.New(s.Exporter); err != nil {
		t.Error(err)
	}
	if s := complete(t, New()); s.Exporter.Joins != nil {
		t.Errorf("joins by default: %v", s.Exporter.Joins)
	}
}

// A flag that is given again adds to what families get.
func TestJoinAgain(t *testing.T) {
	s := complete(t, parseFlags(t, "--join=kube_pod_info=[node]", "--join=kube_pod_info=[workload]"))
	if diff := cmp.Diff([]kubestate.Join{{Families: "kube_pod_info", Node: true, Workload: true}}, s.Exporter.Joins); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
