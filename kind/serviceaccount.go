package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type serviceAccount = corev1.ServiceAccount

var secretName = label("name", "name of the Secret")

// ServiceAccounts is the table of v1 ServiceAccount.
var ServiceAccounts = define(Kind[serviceAccount]{
	Resource: Resource{Version: "v1", Name: "serviceaccounts", Kind: "ServiceAccount", Namespaced: true, NotDefault: true},
	Identity: labels{namespace, label("serviceaccount", "name of the ServiceAccount"), uid},
	Reads:    []string{"automountServiceAccountToken", "secrets.name", "imagePullSecrets.name"},
	Begin: func(a *serviceAccount, e *metric.Emitter, s *metric.Schema) {
		e.Begin(s, a.Namespace, a.Name, string(a.UID))
	},
	Rows: []Row[serviceAccount]{
		info("kube_serviceaccount_info", alpha, "Whether Pods get a token of the ServiceAccount; always 1.",
			label("automount_token", "whether the token is mounted into Pods that do not say: true, false or empty for not set"),
			func(a *serviceAccount) string { return optionalBool(a.AutomountServiceAccountToken) }),
		timestamp("kube_serviceaccount_created", alpha, "When the ServiceAccount was created, in Unix seconds.",
			func(a *serviceAccount) *metav1.Time { return &a.CreationTimestamp }),
		timestamp("kube_serviceaccount_deleted", alpha, "When the deletion of the ServiceAccount was asked for, in Unix seconds.",
			func(a *serviceAccount) *metav1.Time { return a.DeletionTimestamp }),
		each("kube_serviceaccount_secret", alpha, "One series of value 1 per Secret that Pods of the ServiceAccount may use.", labels{secretName},
			func(a *serviceAccount, e *metric.Emitter) {
				for i := range a.Secrets {
					e.Add(1, a.Secrets[i].Name)
				}
			}),
		each("kube_serviceaccount_image_pull_secret", alpha, "One series of value 1 per Secret with which Pods of the ServiceAccount pull images.", labels{secretName},
			func(a *serviceAccount, e *metric.Emitter) {
				for i := range a.ImagePullSecrets {
					e.Add(1, a.ImagePullSecrets[i].Name)
				}
			}),
		annotationsOf("kube_serviceaccount_annotations", alpha, "ServiceAccount annotations selected by --metric-annotations-allowlist.",
			func(a *serviceAccount) map[string]string { return a.Annotations }),
		labelsOf("kube_serviceaccount_labels", alpha, "ServiceAccount labels selected by --metric-labels-allowlist.",
			func(a *serviceAccount) map[string]string { return a.Labels }),
	},
})
