//go:build race

package jsonlines

const raceDetector = true
