//go:build !race

package sinktest

const raceDetector = false
