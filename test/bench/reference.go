package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Reference costs are measured up to three times if that is quick, and the minimum
// counts: disturbances only add to it.
const (
	referenceRuns = 3
	referenceTime = 8 * time.Second // after which no further run begins
)

// least returns the minimum of several measurements.
func least(measure func() (time.Duration, error)) (time.Duration, error) {
	begun, best := time.Now(), time.Duration(0)
	for i := range referenceRuns {
		if i > 0 && time.Since(begun) > referenceTime {
			break
		}
		took, err := measure()
		if err != nil {
			return 0, err
		}
		if i == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// references are the costs that figures are compared with.
type references struct {
	// G is the time that compress/gzip takes for the plain body at its default
	// level, in seconds, on one goroutine.
	G float64 `json:"g_seconds"`
	// U is the time that the generated Unmarshal takes for every object once, in
	// seconds, on one goroutine.
	U float64 `json:"u_seconds"`
	// B is the length of the plain body in bytes.
	B float64 `json:"b_bytes"`
	// GzipSize is the length of what compress/gzip made of it.
	GzipSize float64 `json:"gzip_bytes"`
	Pod      podCost `json:"pod"`
}

// podCost is the mean over the pods of the cluster, or for allocations over a
// page of them.
type podCost struct {
	Bytes       float64 `json:"bytes"`
	Unmarshal   float64 `json:"unmarshal_seconds"`
	Allocations float64 `json:"unmarshal_allocations"`
}

// measureG measures G, B and GzipSize of a body in a file.
func (r *references) measureG(body *os.File) error {
	took, err := least(func() (time.Duration, error) { return r.deflate(body) })
	if err != nil {
		return fmt.Errorf("measure G: %w", err)
	}
	r.G = took.Seconds()
	return nil
}

// deflate compresses a body and returns the time spent in compress/gzip.
func (r *references) deflate(body *os.File) (time.Duration, error) {
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	var size counter
	w, buffer, spent := gzip.NewWriter(&size), make([]byte, 1<<20), time.Duration(0)
	for r.B = 0; ; {
		n, readErr := body.Read(buffer)
		r.B += float64(n)
		start := time.Now()
		if _, err := w.Write(buffer[:n]); err != nil {
			return 0, err
		}
		spent += time.Since(start)
		if errors.Is(readErr, io.EOF) {
			break
		}
		if readErr != nil {
			return 0, readErr
		}
	}
	start := time.Now()
	if err := w.Close(); err != nil {
		return 0, err
	}
	r.GzipSize = float64(size)
	return spent + time.Since(start), nil
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// measureU measures U and Pod.
func (r *references) measureU(ctx context.Context, apiServer string) error {
	took, err := least(func() (time.Duration, error) { return r.unmarshalAll(ctx, apiServer) })
	if err != nil {
		return fmt.Errorf("measure U: %w", err)
	}
	r.U = took.Seconds()
	return nil
}

// unmarshalAll reads every object from the API server, page by page, and times
// the Unmarshal of each as the server sends it.
func (r *references) unmarshalAll(ctx context.Context, apiServer string) (time.Duration, error) {
	client := newClient()
	total := time.Duration(0)
	for _, resource := range apiserver.Resources() {
		spent, objects, size := time.Duration(0), 0, 0
		err := eachPage(ctx, client, apiServer, resource, func(items [][]byte) error {
			start := time.Now()
			for _, item := range items {
				if err := unmarshal(resource, item); err != nil {
					return err
				}
			}
			spent += time.Since(start)
			objects += len(items)
			for _, item := range items {
				size += len(item)
			}
			if resource.Name == "pods" && r.Pod.Allocations == 0 {
				r.Pod.Allocations = unmarshalAllocations(resource, items)
			}
			return nil
		})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", resource.Name, err)
		}
		if resource.Name == "pods" && objects > 0 {
			r.Pod.Unmarshal, r.Pod.Bytes = spent.Seconds()/float64(objects), float64(size)/float64(objects)
		}
		total += spent
	}
	return total, nil
}

func unmarshal(resource apiserver.Resource, message []byte) error {
	object, ok := resource.New().(interface{ Unmarshal([]byte) error })
	if !ok {
		return errors.New("the type has no protobuf form")
	}
	return object.Unmarshal(message)
}

// unmarshalAllocations returns the mean number of allocations per object.
func unmarshalAllocations(resource apiserver.Resource, items [][]byte) float64 {
	n := testing.AllocsPerRun(1, func() {
		for _, item := range items {
			_ = unmarshal(resource, item) // worked a moment ago
		}
	})
	return n / float64(max(1, len(items)))
}

// pageSize is the number of objects per request, as client-go asks for.
const pageSize = "500"

// eachPage reads a list in protobuf and calls do with the messages of the objects
// of each page.
func eachPage(ctx context.Context, client *http.Client, apiServer string, r apiserver.Resource, do func(items [][]byte) error) error {
	base := apiServer + "/apis/" + r.Group
	if r.Group == "" {
		base = apiServer + "/api"
	}
	for token := ""; ; {
		query := url.Values{"limit": {pageSize}}
		if token != "" {
			query.Set("continue", token)
		}
		body, err := getProtobuf(ctx, client, base+"/"+r.Version+"/"+r.Name+"?"+query.Encode())
		if err != nil {
			return err
		}
		meta, items, err := splitList(body)
		if err != nil {
			return err
		}
		if err := do(items); err != nil {
			return err
		}
		if token = meta.Continue; token == "" {
			return nil
		}
	}
}

func getProtobuf(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/vnd.kubernetes.protobuf")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return body, err
}

// splitList takes the messages of the objects out of a list: every list of the
// API has its metadata in field 1 and its items in field 2.
func splitList(body []byte) (metav1.ListMeta, [][]byte, error) {
	var meta metav1.ListMeta
	var envelope runtime.Unknown
	message, found := bytes.CutPrefix(body, []byte("k8s\x00"))
	if !found {
		return meta, nil, errors.New("the list is not in protobuf")
	}
	if err := envelope.Unmarshal(message); err != nil {
		return meta, nil, fmt.Errorf("envelope of the list: %w", err)
	}
	var items [][]byte
	for rest := envelope.Raw; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 || kind != protowire.BytesType {
			return meta, nil, fmt.Errorf("list after %d items: field %d of type %d", len(items), number, kind)
		}
		value, size := protowire.ConsumeBytes(rest[n:])
		if size < 0 {
			return meta, nil, fmt.Errorf("list after %d items: %w", len(items), protowire.ParseError(size))
		}
		if number == 2 {
			items = append(items, value)
		} else if err := meta.Unmarshal(value); err != nil {
			return meta, nil, fmt.Errorf("metadata of the list: %w", err)
		}
		rest = rest[n+size:]
	}
	return meta, items, nil
}

// renderAllocations returns the number of allocations to render all families of a Pod,
// including opt-in families and labels: the mean over a page of the cluster's Pods,
// once buffers have grown.
func renderAllocations(ctx context.Context, apiServer string) (float64, error) {
	planned, err := kind.Pods.Plan(kind.Options{
		Keep: func(*metric.Desc) bool { return true }, Labels: []string{"*"}, Annotations: []string{"*"}})
	if err != nil {
		return 0, fmt.Errorf("render pods: %w", err)
	}
	var pods []*corev1.Pod
	resource := apiserver.Resource{Version: "v1", Name: "pods"}
	err = eachPage(ctx, newClient(), apiServer, resource, func(items [][]byte) error {
		for _, item := range items[:min(len(items), 500-len(pods))] {
			pod := &corev1.Pod{}
			if err := pod.Unmarshal(item); err != nil {
				return err
			}
			pods = append(pods, pod)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("render pods: %w", err)
	}
	emitter := metric.NewEmitter(exposition.NewWriter(planned.Schema()))
	allocations := testing.AllocsPerRun(3, func() {
		for _, pod := range pods {
			err = errors.Join(err, planned.Collect(pod, emitter))
		}
	})
	return allocations / float64(max(1, len(pods))), err
}

// readFile reads a body from the start of a file and counts its series.
func readFile(body *os.File) (families, error) {
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return readText(body, false)
}
