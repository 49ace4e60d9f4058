package rbac

import (
	"context"
	"encoding/json"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const selfAccessReviewsPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

// Missing asks the API server which needs it refuses, one SelfSubjectAccessReview
// for each verb of each resource, and returns the refused ones: needs of one
// resource and one verb. post creates an object with a JSON body at a path, and
// returns the JSON of the response; its first error ends the check.
func Missing(ctx context.Context, needs []Need, post func(ctx context.Context, path string, body []byte) ([]byte, error)) ([]Need, error) {
	var missing []Need
	for _, one := range single(needs) {
		allowed, err := ask(ctx, one, post)
		if err != nil {
			return missing, fmt.Errorf("ask whether %s is allowed: %w", one, err)
		}
		if !allowed {
			missing = append(missing, one)
		}
	}
	return missing, nil
}

// single splits needs into those of one verb, one resource and one name at most.
func single(needs []Need) []Need {
	var all []Need
	for _, n := range needs {
		for _, resource := range n.Resources {
			for _, verb := range n.Verbs {
				one := n
				one.Resources, one.Verbs = []string{resource}, []string{verb}
				all = append(all, one)
			}
		}
	}
	return all
}

func ask(ctx context.Context, n Need, post func(context.Context, string, []byte) ([]byte, error)) (bool, error) {
	attributes := &authorizationv1.ResourceAttributes{Namespace: n.Namespace, Group: n.Group, Resource: n.Resources[0], Verb: n.Verbs[0]}
	if len(n.Names) > 0 {
		attributes.Name = n.Names[0]
	}
	body, err := json.Marshal(authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
		Spec:     authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes},
	})
	if err != nil {
		return false, err
	}
	response, err := post(ctx, selfAccessReviewsPath, body)
	if err != nil {
		return false, err
	}
	var review authorizationv1.SelfSubjectAccessReview
	if err := json.Unmarshal(response, &review); err != nil {
		return false, fmt.Errorf("invalid response: %w", err)
	}
	return review.Status.Allowed && !review.Status.Denied, nil
}

// String describes a need of one verb and resource: "list pods in namespace shop".
func (n Need) String() string {
	text := n.Verbs[0] + " " + n.Resources[0]
	if n.Group != "" {
		text += "." + n.Group
	}
	if len(n.Names) > 0 {
		text += " " + n.Names[0]
	}
	if n.Namespace != "" {
		text += " in namespace " + n.Namespace
	}
	return text
}
