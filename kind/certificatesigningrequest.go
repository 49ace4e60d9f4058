package kind

import (
	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type certificateRequest = certificatesv1.CertificateSigningRequest

// CertificateSigningRequests is the table of certificates.k8s.io/v1
// CertificateSigningRequest.
var CertificateSigningRequests = define(Kind[certificateRequest]{
	Resource: Resource{Group: "certificates.k8s.io", Version: "v1", Name: "certificatesigningrequests", Kind: "CertificateSigningRequest"},
	Identity: labels{
		label("certificatesigningrequest", "name of the CertificateSigningRequest"),
		label("signer_name", "who is asked to sign"),
	},
	Reads: []string{"spec.signerName", "status.certificate", "status.conditions.type"},
	Begin: func(r *certificateRequest, e *metric.Emitter, s *metric.Schema) {
		e.Begin(s, r.Name, r.Spec.SignerName)
	},
	Rows: []Row[certificateRequest]{
		annotationsOf("kube_certificatesigningrequest_annotations", alpha, "CertificateSigningRequest annotations selected by --metric-annotations-allowlist.",
			func(r *certificateRequest) map[string]string { return r.Annotations }),
		labelsOf("kube_certificatesigningrequest_labels", stable, "CertificateSigningRequest labels selected by --metric-labels-allowlist.",
			func(r *certificateRequest) map[string]string { return r.Labels }),
		timestamp("kube_certificatesigningrequest_created", stable, "When the CertificateSigningRequest was created, in Unix seconds.",
			func(r *certificateRequest) *metav1.Time { return &r.CreationTimestamp }),
		each("kube_certificatesigningrequest_condition", stable, "How many conditions of a type the CertificateSigningRequest has, whatever their status.",
			labels{label("condition", "type of the condition: approved, denied or failed")}, certificateConditions),
		gauge("kube_certificatesigningrequest_cert_length", stable, "Length of the issued certificate in bytes; 0 while there is none.",
			func(r *certificateRequest) int64 { return int64(len(r.Status.Certificate)) }),
	},
})

func certificateConditions(r *certificateRequest, e *metric.Emitter) {
	var approved, denied, failed float64
	for i := range r.Status.Conditions {
		switch r.Status.Conditions[i].Type {
		case certificatesv1.CertificateApproved:
			approved++
		case certificatesv1.CertificateDenied:
			denied++
		case certificatesv1.CertificateFailed:
			failed++
		}
	}
	e.Add(approved, "approved")
	e.Add(denied, "denied")
	e.Add(failed, "failed")
}
