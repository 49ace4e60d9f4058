//go:build !race

package datadog

const raceDetector = false
