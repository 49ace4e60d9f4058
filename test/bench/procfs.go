package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU time in /proc/PID/stat, which Linux always reports in
// hundredths of a second.
const clockTick = 10 * time.Millisecond

// cpuTime returns the CPU time used by a process.
func cpuTime(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("processor time (only Linux tells it): %w", err)
	}
	return parseStat(data)
}

// parseStat adds user and system time, the 14th and 15th field. The second field
// is the name of the program, in parentheses, and may hold anything.
func parseStat(stat []byte) (time.Duration, error) {
	const utime = 14 - 3 // counted from the third field, the first after the name
	_, rest, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) <= utime+1 {
		return 0, fmt.Errorf("processor time: cannot read %q", stat)
	}
	var ticks int64
	for _, field := range fields[utime : utime+2] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// memory is the memory of a process in bytes.
type memory struct {
	resident float64 // now
	peak     float64 // the most so far
}

func memoryOf(pid int) (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, fmt.Errorf("resident memory (only Linux tells it): %w", err)
	}
	return parseStatus(string(data))
}

func parseStatus(status string) (memory, error) {
	var m memory
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		var field *float64
		switch name {
		case "VmRSS":
			field = &m.resident
		case "VmHWM":
			field = &m.peak
		default:
			continue
		}
		kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err != nil {
			return m, fmt.Errorf("resident memory: %w", err)
		}
		*field = kilobytes * 1024
	}
	if m.resident == 0 || m.peak == 0 {
		return m, fmt.Errorf("resident memory: cannot read %q", status)
	}
	return m, nil
}

// machine describes the machine, on which figures depend.
type machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	OS        string `json:"os"`
	Go        string `json:"go"`
}

func thisMachine() machine {
	m := machine{Processor: "unknown", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(data)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("Machine: %d cores of %s, %s, %s.", m.Cores, m.Processor, m.OS, m.Go)
}
