//go:build race

package kind_test

const raceDetector = true
