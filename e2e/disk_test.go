//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fullDisk is what a person with a full disk does: the copy fails, room is made,
// the copy goes on. The disk is a file system of its own, in a namespace that ends
// with the shell.
const fullDisk = `
mount -t tmpfs -o size=1400k tmpfs "$DISK" || exit 99
cp -r lockstep.yaml .lockstep "$DISK"
cd "$DISK"
"$BIN" sync; echo "[sync on a full disk ended with $?]"
"$BIN" sync; echo "[sync again ended with $?]"
mount -o remount,size=64m "$DISK"
"$BIN" sync; echo "[sync with room ended with $?]"
"$BIN" sync; echo "[another sync ended with $?]"
"$BIN" verify; echo "[verify ended with $?]"
`

// TestADiskThatIsReallyFull runs the program on a disk of 1.4 MB.
func TestADiskThatIsReallyFull(t *testing.T) {
	t.Parallel()
	w := newKillWorld(t)
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("/bin/sh", "-c", fullDisk)
	shell.Dir, shell.Env = w.dir, append([]string{"DISK=" + disk, "BIN=" + w.bin, "PATH=" + os.Getenv("PATH")}, w.env...)
	shell.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := shell.CombinedOutput()
	said := string(out)
	if code(err) == 99 || code(err) < 0 {
		t.Skipf("this machine lets nobody mount a small disk (%v); TestAFullDiskLosesNothing limits the file instead\n%s", err, said)
	}
	for _, want := range []string{
		"[sync on a full disk ended with 8]", "next: the disk is full: free some space and run the same command again; nothing was lost",
		"[sync again ended with 8]", "[sync with room ended with 0]", "[another sync ended with 0]", "Nothing was written.", "[verify ended with 0]",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it never says %q", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
	w.checkNoTwins()
}
