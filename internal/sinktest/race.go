//go:build race

package sinktest

const raceDetector = true
