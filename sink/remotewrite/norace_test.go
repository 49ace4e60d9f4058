//go:build !race

package remotewrite

const raceDetector = false
