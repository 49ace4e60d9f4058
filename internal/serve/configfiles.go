package serve

import (
	"crypto/md5" //nolint:gosec // not for security: kube-state-metrics shows this hash
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/metric"
)

// ConfigFiles is the state of the configuration files, for the metrics and the landing
// page. Its methods are safe for concurrent use. The zero value has no files.
type ConfigFiles struct {
	mu    sync.Mutex
	files []ConfigFile
	err   error // of the last attempt
}

// ConfigFile is a file that the configuration was read from, or should have been.
type ConfigFile struct {
	Type string // config, customresourceconfig
	Path string
	// Hash identifies the content as kube-state-metrics does: the first 6 bytes of its MD5
	// digest, little endian.
	Hash uint64
	// Loaded is when the file was last read and valid.
	Loaded time.Time
	Valid  bool
}

// Loaded notes an attempt to apply a configuration. Files that are not in the list any more
// are forgotten, and err, if there is one, concerns them all.
func (c *ConfigFiles) Loaded(err error, files ...ConfigFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.files
	c.files, c.err = nil, err
	for _, f := range files {
		for _, old := range before {
			if old.Path == f.Path && old.Type == f.Type {
				f.Loaded = old.Loaded
			}
		}
		_, missing := os.Stat(f.Path)
		if f.Valid = err == nil && missing == nil; f.Valid {
			f.Loaded = time.Now()
		}
		if data, err := bounded.ReadFile(f.Path, bounded.Config); err == nil { // it may be a directory
			f.Hash = hash(data)
		}
		c.files = append(c.files, f)
	}
}

// Error returns the error of the last attempt.
func (c *ConfigFiles) Error() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *ConfigFiles) list() []ConfigFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.files)
}

func hash(data []byte) uint64 {
	sum := md5.Sum(data)
	var first [8]byte
	copy(first[:], sum[:6])
	return binary.LittleEndian.Uint64(first[:])
}

// CheckWebConfig returns what is wrong with a file for Config.WebConfig; empty: no file.
func CheckWebConfig(path string) error {
	if err := web.Validate(path); err != nil {
		return fmt.Errorf("web configuration %s: %w", path, err)
	}
	return nil
}

// configCollector collects metrics about configuration files.
type configCollector struct {
	files                     *ConfigFiles
	hash, successful, success *prometheus.Desc
}

func newConfigCollector(files *ConfigFiles) *configCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("kube_state_metrics_"+name, help, []string{"type", "filename"}, nil)
	}
	return &configCollector{
		files:      files,
		hash:       desc("config_hash", "Hash of the content of a configuration file."),
		successful: desc("last_config_reload_successful", "1 if the last attempt to load the configuration succeeded, 0 if it failed and the previous one is in effect."),
		success:    desc("last_config_reload_success_timestamp_seconds", "Time when the configuration was last loaded successfully, in Unix seconds."),
	}
}

// Describe implements prometheus.Collector.
func (c *configCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *configCollector) Collect(ch chan<- prometheus.Metric) {
	gauge, _ := senders(ch)
	c.files.mu.Lock()
	defer c.files.mu.Unlock()
	for _, f := range c.files.files {
		gauge(c.hash, float64(f.Hash), f.Type, f.Path)
		gauge(c.successful, metric.Float(f.Valid), f.Type, f.Path)
		if !f.Loaded.IsZero() {
			gauge(c.success, float64(f.Loaded.UnixMilli())/1000, f.Type, f.Path)
		}
	}
}
