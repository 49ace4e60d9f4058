//go:build race

package datadog

const raceDetector = true
