package kubewatch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

const (
	secretCount   = 300
	reader        = "KUBESTATE_TEST_SECRETS_OF" // environment variable with a URL, set in the process that reads
	readerDone    = 2 * time.Minute
	secondVersion = "second"
)

// A process that reads Secrets has no value of any in its memory: not in what it stores,
// nor in garbage, nor in the buffers of its connection.
func TestSecretsAreNotInMemory(t *testing.T) {
	if url := os.Getenv(reader); url != "" {
		readSecrets(t, url)
		return
	}
	for _, way := range []string{"stream", "list"} {
		t.Run(way, func(t *testing.T) {
			store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
			if err != nil {
				t.Fatal(err)
			}
			api := apiserver.New(store, apiserver.Config{})
			if way == "list" {
				api.Inject(apiserver.NoStreaming())
			}
			server := httptest.NewUnstartedServer(api)
			server.EnableHTTP2 = true
			server.StartTLS()
			t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
			// Lengths that base64 ends on: what follows a marker does not change it.
			hidden, shown := rand.Text()[:15], rand.Text()[:15]
			put := func(version string, first int) {
				for i := range secretCount {
					if err := store.Put(&corev1.Secret{
						ObjectMeta: metav1.ObjectMeta{
							Namespace: "default", Name: fmt.Sprint("s", i),
							Labels: map[string]string{"version": version, "shown": fmt.Sprintf("%s%06d", shown, i)},
						},
						Type: corev1.SecretTypeOpaque,
						Data: map[string][]byte{"key": fmt.Appendf(nil, "%s%06d", hidden, first+i)},
					}); err != nil {
						t.Fatal(err)
					}
				}
			}
			put("first", 0)
			child := startReader(t, server)
			child.await(t, "complete")
			child.wantInMemory(t, "after the list", shown, hidden)
			put(secondVersion, secretCount)
			child.await(t, "updated")
			child.wantInMemory(t, "after the updates", shown, hidden)
		})
	}
}

// readerProcess is a process that reads Secrets until its input ends.
type readerProcess struct {
	pid   int
	lines *bufio.Scanner
}

func startReader(t *testing.T, server *httptest.Server) *readerProcess {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readerDone)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSecretsAreNotInMemory$")
	cmd.Env = append(os.Environ(), reader+"="+server.URL)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &readerProcess{pid: cmd.Process.Pid, lines: bufio.NewScanner(out)}
	t.Cleanup(func() {
		defer cancel()
		_ = in.Close() // ends it
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("process that reads: %v", err)
		}
	})
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if _, err := in.Write(append(ca, '\n')); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *readerProcess) await(t *testing.T, line string) {
	t.Helper()
	for p.lines.Scan() {
		if p.lines.Text() == line {
			return
		}
	}
	t.Fatalf("the process that reads ended before it was %s: %v", line, p.lines.Err())
}

// wantInMemory looks for texts that begin with two markers: one that must be there, as
// otherwise the search is at fault, and one that must not.
func (p *readerProcess) wantInMemory(t *testing.T, when, shown, hidden string) {
	t.Helper()
	seen := p.search(t, shown, hidden)
	if n := seen[shown]; n < secretCount {
		t.Errorf("%s: labels of %d Secrets are in memory, want %d or, of garbage, more", when, n, secretCount)
	}
	if n := seen[hidden]; n != 0 {
		t.Errorf("%s: values of %d Secrets are in memory", when, n)
	}
}

// search counts the different texts in memory that begin with each marker, as they are or
// in base64.
func (p *readerProcess) search(t *testing.T, markers ...string) map[string]int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	found := map[string]map[string]bool{}
	for line := range strings.Lines(string(maps)) {
		var start, end uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &start, &end, &mode); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if !strings.HasPrefix(mode, "rw") { // nothing is written elsewhere
			continue
		}
		region := make([]byte, end-start)
		n, err := memory.ReadAt(region, int64(start))
		if err != nil && n == 0 && !strings.Contains(line, "[") {
			t.Fatalf("read memory of %q: %v", line, err)
		}
		for _, marker := range markers {
			if found[marker] == nil {
				found[marker] = map[string]bool{}
			}
			collect(found[marker], region[:n], marker, 6)
			collect(found[marker], region[:n], base64.StdEncoding.EncodeToString([]byte(marker)), 8)
		}
	}
	counts := map[string]int{}
	for marker, texts := range found {
		counts[marker] = len(texts)
	}
	return counts
}

// collect adds the texts of a length that follow a marker.
func collect(found map[string]bool, region []byte, marker string, length int) {
	for {
		i := bytes.Index(region, []byte(marker))
		if i < 0 || i+len(marker)+length > len(region) {
			return
		}
		region = region[i+len(marker):]
		if text := region[:length]; !bytes.ContainsRune(text, 0) { // not the marker alone
			found[string(text)] = true
		}
	}
}

// readSecrets watches Secrets of a server until standard input ends, and prints how far
// it is.
func readSecrets(t *testing.T, url string) {
	in := bufio.NewReader(os.Stdin)
	var ca strings.Builder
	for !strings.Contains(ca.String(), "END CERTIFICATE") {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		ca.WriteString(line)
	}
	client, err := NewClient(&rest.Config{Host: url, TLSClientConfig: rest.TLSClientConfig{CAData: []byte(ca.String())}})
	if err != nil {
		t.Fatal(err)
	}
	store := &reportingStore{}
	g, err := NewGroup(client, []Watch{{Table: kind.Secrets, Fields: kind.Reads(planned(t, kind.Secrets)), Store: store}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	_, _ = io.Copy(io.Discard, in)
	cancel()
	<-done
}

// reportingStore prints when it is complete, and when all objects have the second version.
type reportingStore struct {
	memory

	updated atomic.Int32
}

func (s *reportingStore) Put(o kind.Object) {
	s.memory.Put(o)
	if o.GetLabels()["version"] == secondVersion && s.updated.Add(1) == secretCount {
		fmt.Println("updated")
	}
}

func (s *reportingStore) Commit() {
	s.memory.Commit()
	fmt.Println("complete")
}
