//go:build !linux

package main

import (
	"errors"
	"time"
)

func ownTime() (time.Duration, error) {
	return 0, errors.New("processor time of this process: only Linux is asked")
}
