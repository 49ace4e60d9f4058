package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type controllerRevision = appsv1.ControllerRevision

// ControllerRevisions is the table of apps/v1 ControllerRevision.
var ControllerRevisions = define(Kind[controllerRevision]{
	Resource: Resource{Group: "apps", Version: "v1", Name: "controllerrevisions", Kind: "ControllerRevision", Namespaced: true, NotDefault: true},
	Identity: labels{namespace, label("controllerrevision", "name of the ControllerRevision")},
	Reads:    []string{"metadata.ownerReferences", "revision"},
	Begin: func(c *controllerRevision, e *metric.Emitter, s *metric.Schema) {
		e.Begin(s, c.Namespace, c.Name)
	},
	Rows: []Row[controllerRevision]{
		beyond(annotationsOf("kube_controllerrevision_annotations", alpha, "ControllerRevision annotations selected by --metric-annotations-allowlist.",
			func(c *controllerRevision) map[string]string { return c.Annotations })),
		beyond(labelsOf("kube_controllerrevision_labels", alpha, "ControllerRevision labels selected by --metric-labels-allowlist.",
			func(c *controllerRevision) map[string]string { return c.Labels })),
		beyond(timestamp("kube_controllerrevision_created", alpha, "When the ControllerRevision was created, in Unix seconds.",
			func(c *controllerRevision) *metav1.Time { return &c.CreationTimestamp })),
		beyond(each("kube_controllerrevision_info", alpha, "Owner and number of the ControllerRevision; always 1.", labels{
			label("owner_kind", "kind of the owner that manages the ControllerRevision"),
			label("owner_name", "name of the owner that manages the ControllerRevision"),
			label("revision", "number of the revision, which grows with time; a rollback makes an old state the newest"),
		}, controllerRevisionInfo)),
		beyond(gauge("kube_controllerrevision_revision", alpha, "Number of the revision, which is highest for the newest state of the owner.",
			func(c *controllerRevision) int64 { return c.Revision })),
	},
})

func controllerRevisionInfo(c *controllerRevision, e *metric.Emitter) {
	var kind, name string
	if owner := metav1.GetControllerOfNoCopy(c); owner != nil {
		kind, name = owner.Kind, owner.Name
	}
	e.Add(1, kind, name, e.Int(c.Revision))
}
