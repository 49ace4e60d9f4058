// Package cluster runs the API server of a Kubernetes cluster for a test: the real
// kube-apiserver and etcd, without controllers and kubelets, so that objects change
// only when the test changes them. Of kubestate it knows only the user name.
package cluster

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/harness"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// User is a user that the API server identifies by a token.
type User string

const (
	// Admin has all permissions.
	Admin User = "admin"
	// Kubestate has the permissions that the test grants; initially none.
	Kubestate User = "kubestate"
)

// Cluster is one API server. Its port, certificate and objects survive a restart. It is
// stopped at the end of the test that started it.
type Cluster struct {
	owner  testing.TB // the processes end with it, not with a subtest that restarts them
	binary string
	dir    string
	port   int
	flags  []string
	server *harness.Process
}

// Start runs the API server binary with additional kube-apiserver flags, and returns
// when it is ready.
func Start(t testing.TB, binary string, flags ...string) *Cluster {
	t.Helper()
	c := &Cluster{owner: t, binary: binary, dir: t.TempDir(), port: harness.FreePorts(t, 1)[0], flags: flags}
	c.writeFile(t, "tokens.csv", fmt.Appendf(nil, "%s,%s,1,%q\n%s,%s,2,\n",
		token(Admin), Admin, "system:masters", token(Kubestate), Kubestate))
	c.writeFile(t, "service-account.key", privateKey(t))
	c.Restart(t)
	return c
}

// Restart starts the API server after Stop or Kill, on the same port and with
// the same objects, and returns when it is ready.
func (c *Cluster) Restart(t testing.TB) {
	t.Helper()
	started := time.Now()
	args := append([]string{
		c.path("etcd"),
		"--secure-port=" + strconv.Itoa(c.port),
		"--bind-address=127.0.0.1",
		// Nothing uses the Service of the API server; without these two flags it looks
		// for an external address.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--cert-dir=" + c.path("certificates"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://127.0.0.1",
		"--service-account-key-file=" + c.path("service-account.key"),
		"--service-account-signing-key-file=" + c.path("service-account.key"),
		"--token-auth-file=" + c.path("tokens.csv"),
		"--authorization-mode=RBAC",
		// Without a grace period, Stop waits a minute for open watches.
		"--shutdown-watch-termination-grace-period=2s",
		// No controller makes service accounts here.
		"--disable-admission-plugins=ServiceAccount",
	}, c.flags...)
	c.server = harness.Start(c.owner, "apiserver", c.binary, args...)
	c.waitReady(t)
	t.Logf("the API server was ready after %s", time.Since(started).Round(100*time.Millisecond))
}

// waitReady waits until /readyz of the API server returns 200. It creates a client for
// each attempt, because the certificate is created during startup.
func (c *Cluster) waitReady(t testing.TB) {
	t.Helper()
	c.server.Eventually(t, time.Minute, "the API server is ready", func() error {
		client, err := rest.HTTPClientFor(c.Config(Admin))
		if err != nil {
			return err
		}
		defer client.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL()+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %s", response.Status)
		}
		return nil
	})
}

// Stop shuts down the API server gracefully, closing its watches.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	c.server.Signal(syscall.SIGTERM)
	c.server.ExitCode(t, time.Minute)
}

// Kill kills the API server.
func (c *Cluster) Kill() { c.server.Kill() }

// URL returns the URL of the API server.
func (c *Cluster) URL() string { return fmt.Sprintf("https://127.0.0.1:%d", c.port) }

// Config returns the client configuration of a user, without a rate limit.
func (c *Cluster) Config(user User) *rest.Config {
	return &rest.Config{
		Host:            c.URL(),
		BearerToken:     token(user),
		TLSClientConfig: rest.TLSClientConfig{CAFile: c.path("certificates", "apiserver.crt")},
		ContentConfig:   rest.ContentConfig{GroupVersion: &schema.GroupVersion{}},
		QPS:             -1,
		Timeout:         time.Minute,
		WarningHandler:  rest.NoWarnings{}, // Tests use deprecated kinds and fields on purpose.
	}
}

// Kubeconfig writes a kubeconfig file for user and returns its path.
func (c *Cluster) Kubeconfig(t testing.TB, user User) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{
		Server: c.URL(), CertificateAuthority: c.path("certificates", "apiserver.crt"),
	}
	config.AuthInfos[string(user)] = &clientcmdapi.AuthInfo{Token: token(user)}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: string(user)}
	config.CurrentContext = "test"
	path := c.path(string(user) + ".kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatalf("write a kubeconfig for %s: %v", user, err)
	}
	return path
}

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

func (c *Cluster) writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(c.path(name), content, 0o600); err != nil {
		t.Fatalf("start the API server: %v", err)
	}
}

// token returns the bearer token of a user. It is valid only for the API server of one
// test on the loopback interface.
func token(user User) string { return "token-of-" + string(user) }

// privateKey returns a new key for signing service account tokens, as PEM.
func privateKey(t testing.TB) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("make a service account key: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}
