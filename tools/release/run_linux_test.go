package main

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// inRoot is the environment variable that makes the test binary enter the root
// directory that it names and become the program there.
const inRoot = "KUBESTATE_TEST_ROOT"

func TestMain(m *testing.M) {
	if root := os.Getenv(inRoot); root != "" {
		err := become(root, os.Args[1:])
		fmt.Fprintln(os.Stderr, "enter root:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Numbers of linux/prctl.h and linux/capability.h.
const (
	prCapAmbient         = 47
	prCapAmbientClearAll = 4
	capSysChroot         = 18
	capSysAdmin          = 21
)

// isolated returns what starts a process in a mount namespace that it may change.
// Where the test does not run as root, a user namespace gives the process that
// right; there its own user has the number 65534.
func isolated() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getgid(), Size: 1}}
		attr.AmbientCaps = []uintptr{capSysAdmin, capSysChroot}
	}
	return attr
}

// become does in a mount namespace of its own what a container runtime does: it
// makes root the read-only root directory, drops all rights, and executes the
// program as user and group 65534.
func become(root string, args []string) error {
	runtime.LockOSThread()
	for _, step := range []func() error{
		func() error { return syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, "") },
		func() error { return syscall.Mount(root, root, "", syscall.MS_BIND, "") },
		func() error {
			return syscall.Mount("", root, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY|syscall.MS_NOSUID, "")
		},
		func() error { return syscall.Chroot(root) },
		func() error { return os.Chdir("/") },
		func() error {
			if err := os.WriteFile("/written", nil, 0o644); !errors.Is(err, syscall.EROFS) {
				return fmt.Errorf("write to a read-only root: %w", err)
			}
			return nil
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return err
		}
	} else if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, prCapAmbient, prCapAmbientClearAll, 0); err != 0 {
		return err
	}
	return syscall.Exec("/kubestate", append([]string{"/kubestate"}, args...), []string{})
}

// runInImage unpacks an image and runs its program there: as 65534, with a
// read-only root that contains nothing else, without /proc, /dev and environment.
func runInImage(t *testing.T, image v1.Image) {
	root := t.TempDir()
	unpack(t, image, root)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "demo", "--nodes", "2", "--pods", "5",
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0", "--log-format", "json")
	c.Env = []string{inRoot + "=" + root}
	c.SysProcAttr = isolated()
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	address := logged(t, stderr)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	user, group := 65534, 65534
	if os.Getuid() != 0 {
		user, group = os.Getuid(), os.Getgid() // as seen from outside the user namespace
	}
	for _, line := range []string{
		fmt.Sprintf("Uid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", user),
		fmt.Sprintf("Gid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", group),
		"CapEff:\t0000000000000000\n",
	} {
		if !strings.Contains(string(status), line) {
			t.Errorf("the process lacks %q in:\n%s", line, status)
		}
	}
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), "\nkube_pod_info{") {
		t.Errorf("%s; no Pod in:\n%.500s", resp.Status, body)
	}
}

func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	stream := mutate.Extract(image)
	defer stream.Close()
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.Mkdir(path, h.FileInfo().Mode())
		} else {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, data, h.FileInfo().Mode())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// logged reads the log of kubestate until it has synced, and returns the address
// of its metrics port.
func logged(t *testing.T, log io.Reader) (address string) {
	t.Helper()
	var seen strings.Builder
	for s := bufio.NewScanner(io.TeeReader(log, &seen)); s.Scan(); {
		var line struct{ Msg, Metrics string }
		if json.Unmarshal(s.Bytes(), &line) != nil {
			continue
		}
		switch line.Msg {
		case "listening":
			address = line.Metrics
		case "synced":
			return address
		}
	}
	t.Fatalf("kubestate ended before it had synced:\n%s", seen.String())
	return ""
}
