package harness

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel kill the process if the test ends without
// cleaning up, as it does on a timeout.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
