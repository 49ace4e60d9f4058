//go:build !race

package dogstatsd

const raceDetector = false
