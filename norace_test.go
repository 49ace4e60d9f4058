//go:build !race

package kubestate_test

const raceDetector = false
