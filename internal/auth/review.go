package auth

import (
	"context"
	"encoding/json"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	tokenReviewsPath  = "/apis/authentication.k8s.io/v1/tokenreviews"
	accessReviewsPath = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
)

type user = authenticationv1.UserInfo

// reviewer is a client of the two review APIs.
type reviewer struct {
	post func(ctx context.Context, path string, body []byte) ([]byte, error)
}

// token asks whose token this is. Errors never contain the token.
func (v reviewer) token(ctx context.Context, token string) (identity, error) {
	review := authenticationv1.TokenReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview"},
		Spec:     authenticationv1.TokenReviewSpec{Token: token},
	}
	if err := create(ctx, v.post, tokenReviewsPath, &review); err != nil {
		return identity{}, err
	}
	return identity{valid: review.Status.Authenticated, user: review.Status.User}, nil
}

// access asks whether u may use a path that is not a resource of the API.
func (v reviewer) access(ctx context.Context, u user, verb, path string) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(u.Extra))
	for key, value := range u.Extra {
		extra[key] = authorizationv1.ExtraValue(value)
	}
	review := authorizationv1.SubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SubjectAccessReview"},
		Spec: authorizationv1.SubjectAccessReviewSpec{
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
			User:                  u.Username, Groups: u.Groups, UID: u.UID, Extra: extra,
		},
	}
	if err := create(ctx, v.post, accessReviewsPath, &review); err != nil {
		return false, err
	}
	return review.Status.Allowed && !review.Status.Denied, nil
}

// create posts a review and replaces it by the response.
func create[T any](ctx context.Context, post func(context.Context, string, []byte) ([]byte, error), path string, review *T) error {
	body, err := json.Marshal(review)
	if err != nil {
		return err
	}
	response, err := post(ctx, path, body)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	var reviewed T
	if err := json.Unmarshal(response, &reviewed); err != nil {
		return fmt.Errorf("create %s: invalid response", path) // err may quote the token
	}
	*review = reviewed
	return nil
}
