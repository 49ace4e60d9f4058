package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// soak is a long run with changes and scrapes.
type soak struct {
	cluster   *clusterProcess
	kubestate *kubestate
	duration  time.Duration
	churn     float64       // changes per second
	pause     time.Duration // between the scrapes of one form
	sample    time.Duration // between readings of the program's own state
	breaks    time.Duration // between moments at which all watches break
	out       io.Writer
}

// soakCommand runs a soak; growth or broken responses are errors.
func soakCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	s := soak{out: stdout}
	flags.DurationVar(&s.duration, "duration", 10*time.Minute, "how long to go on")
	flags.Float64Var(&s.churn, "churn", 50, "changes per second")
	flags.DurationVar(&s.pause, "pause", time.Second, "time between two scrapes of one form")
	flags.DurationVar(&s.sample, "sample", 5*time.Second, "time between readings of goroutines and memory")
	flags.DurationVar(&s.breaks, "breaks", time.Minute, "time between two moments at which every watch breaks and must read all again")
	nodes := flags.Int("nodes", 100, "nodes of the cluster")
	pods := flags.Int("pods", 4000, "pods of the cluster")
	binary := flags.String("kubestate", "", "kubestate `program` to run, instead of building the present source")
	if err := flags.Parse(args); err != nil {
		return err
	}
	programs, err := preparePrograms(ctx, *binary)
	if err != nil {
		return err
	}
	defer programs.remove()
	if s.cluster, err = startCluster(ctx, programs, *nodes, *pods); err != nil {
		return err
	}
	defer s.cluster.end()
	if s.kubestate, err = startKubestate(ctx, programs, s.cluster); err != nil {
		return err
	}
	defer s.kubestate.end()
	if err := s.kubestate.awaitReady(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "%s\nSoak of %s: %s nodes, %s pods, %g changes a second.\n",
		thisMachine(), s.duration, thousands(*nodes), thousands(*pods), s.churn)
	return s.run(ctx)
}

// run makes changes and scrapes until the time is over, then compares the exposed
// objects with the existing ones.
func (s *soak) run(ctx context.Context) error {
	if err := s.cluster.churn(s.churn); err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, s.duration)
	defer cancel()
	scrapers := startScrapers(ctx, timed, cancel, s.kubestate.metrics, s.pause)
	readings, err := s.observe(timed)
	cancel()
	err = errors.Join(err, finishScrapers(s.out, scrapers), ctx.Err())
	if err != nil {
		return err
	}
	if err := s.cluster.churn(0); err != nil {
		return err
	}
	return errors.Join(compareReadings(s.out, readings), s.compareObjects(ctx))
}

// compareObjects waits until kubestate has caught up, and returns an error if it never
// does.
func (s *soak) compareObjects(ctx context.Context) error {
	objects, err := s.cluster.count()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	scraper := newScraper(s.kubestate.metrics)
	for {
		shown, _, err := scraper.read(ctx, bodyForms()[0])
		if err != nil {
			return err
		}
		differences := compareObjects(shown, objects)
		if differences == nil {
			_, _ = fmt.Fprintf(s.out, "In the end %s objects of the API server are shown, as %s series.\n", thousands(sum(objects)), thousands(sum(shown)))
			return nil
		}
		if sleep(ctx, time.Second) != nil {
			return fmt.Errorf("%s after the last change: %w", catchUpTime, differences)
		}
	}
}

// catchUpTime exceeds the longest back-off of a client after its watch broke.
const catchUpTime = time.Minute
