package harness

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel kill the process if the test ends without cleaning up,
// as on a timeout.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
