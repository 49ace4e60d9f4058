package lease

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/kubestate/kubestate/kubewatch"
)

// Config says which Lease replicas compete for, and how. The zero value of a
// duration takes the default, which is that of the Kubernetes components.
type Config struct {
	Client          *kubewatch.Client
	Namespace, Name string // of the Lease
	// Identity tells replicas apart. Default: the host name and a random number.
	Identity string
	// LeaseDuration is how long other replicas wait after the last renewal that they
	// saw before they take the Lease, in whole seconds; default 15 s.
	LeaseDuration time.Duration
	// RenewDeadline is how long after its last renewal a leader stops leading. It is
	// shorter than LeaseDuration, so that there are never two leaders: the difference is
	// for clocks that run at different speeds and for requests under way. Default 10 s.
	RenewDeadline time.Duration
	// RetryPeriod is the time between attempts to acquire or renew the Lease; default 2 s.
	RetryPeriod time.Duration
	Logger      *slog.Logger // default slog.Default()
}

func (c *Config) complete() error {
	c.LeaseDuration = cmp.Or(c.LeaseDuration, 15*time.Second)
	c.RenewDeadline = cmp.Or(c.RenewDeadline, 10*time.Second)
	c.RetryPeriod = cmp.Or(c.RetryPeriod, 2*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("leader election: "+format, args...)) }
	if c.Client == nil {
		wrong("client: must be set")
	}
	if c.Namespace == "" || c.Name == "" {
		wrong("invalid Lease namespace %q, name %q: must both be set", c.Namespace, c.Name)
	}
	if c.LeaseDuration < time.Second || c.LeaseDuration%time.Second != 0 {
		wrong("invalid lease duration %s: must be whole seconds, at least 1s", c.LeaseDuration)
	}
	if c.RenewDeadline >= c.LeaseDuration {
		wrong("invalid renew deadline %s: must be less than the lease duration, %s", c.RenewDeadline, c.LeaseDuration)
	}
	if c.RetryPeriod <= 0 || c.RetryPeriod >= c.RenewDeadline {
		wrong("invalid retry period %s: must be more than 0 and less than the renew deadline, %s", c.RetryPeriod, c.RenewDeadline)
	}
	if c.Identity == "" {
		host, err := os.Hostname()
		if err != nil {
			wrong("get host name for the identity: %w", err)
		}
		c.Identity = fmt.Sprintf("%s_%016x", host, rand.Uint64())
	}
	return errors.Join(errs...)
}
