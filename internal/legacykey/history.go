package legacykey

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// blob is one version of a file and the commit that first brought it.
type blob struct {
	id, commit, path string
}

// history adds the secrets that were ever committed, each once and with its
// first commit, unless the tree of today holds it still.
func (s *scanner) history(ctx context.Context, options Options, report *Report) error {
	if _, err := exec.LookPath("git"); err != nil {
		return fault.New(fault.Invalid, "git is not installed, and --history reads it").WithMend("install git, or leave --history out")
	}
	known := map[string]bool{}
	key := func(f Finding) string { return f.Rule + strconv.FormatUint(f.secret, 16) }
	for _, f := range report.Findings {
		if f.secret != 0 {
			known[key(f)] = true
		}
	}
	walked := map[string]bool{}
	for _, path := range options.Paths {
		top, err := repositoryOf(ctx, path)
		if err != nil {
			return err
		}
		full, err := filepath.Abs(path)
		if err != nil {
			return fault.New(fault.Internal, "find %s", path).Wrap(err)
		}
		if walked[full] {
			continue
		}
		walked[full] = true
		blobs, commits, err := blobsOf(ctx, top, full)
		if err != nil {
			return err
		}
		report.Commits += commits
		err = readBlobs(ctx, top, blobs, func(b blob, content []byte, skipped string) {
			if skipped != "" {
				report.Skipped = append(report.Skipped, Skipped{b.path + " in " + shortCommit(b.commit), skipped})
				return
			}
			report.Bytes += int64(len(content))
			for _, f := range s.file(b.path, content) {
				if f.secret == 0 || known[key(f)] {
					continue
				}
				known[key(f)] = true
				f.Commit = b.commit
				report.Findings = append(report.Findings, f)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func shortCommit(commit string) string { return commit[:min(len(commit), 10)] }

// gitCommand runs git so that the repository's own settings start nothing, and
// nothing is fetched from anywhere.
func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	args = append([]string{"-C", dir, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.quotePath=false", "-c", "log.showSignature=false", "--no-pager"}, args...)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	return cmd
}

// repositoryOf returns the root of the work tree that path is in.
func repositoryOf(ctx context.Context, path string) (string, error) {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	out, err := gitCommand(ctx, dir, "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", fault.New(fault.Invalid, "%s is not in a git repository", path).WithMend("leave --history out, or name a folder of a repository")
	}
	return strings.TrimRight(string(out), "\r\n"), nil
}

// blobsOf lists every version of every file below full, the oldest commit first.
func blobsOf(ctx context.Context, top, full string) ([]blob, int, error) {
	real, err := filepath.EvalSymlinks(full)
	if err != nil {
		real = full
	}
	args := []string{"log", "--all", "--reflog", "--topo-order", "--reverse", "--raw", "--no-abbrev", "--no-renames", "-m", "--root", "--no-ext-diff", "--no-textconv", "-z", "--format=%x01%H%x00", "--", real}
	cmd := gitCommand(ctx, top, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if strings.Contains(stderr.String(), "does not have any commits") {
			return nil, 0, nil
		}
		return nil, 0, fault.New(fault.Internal, "git log in %s: %s", top, strings.TrimSpace(stderr.String())).Wrap(err)
	}
	var blobs []blob
	seen, commits := map[string]bool{}, map[string]bool{}
	commit, fields := "", strings.Split(string(out), "\x00")
	for i := 0; i < len(fields); i++ {
		field := strings.TrimLeft(fields[i], "\n")
		if id, is := strings.CutPrefix(field, "\x01"); is {
			commit = id
			commits[id] = true
			continue
		}
		// :100644 100644 <old id> <new id> M, then the path.
		parts := strings.Fields(strings.TrimPrefix(field, ":"))
		if !strings.HasPrefix(field, ":") || len(parts) < 5 || i+1 >= len(fields) {
			continue
		}
		i++
		id, path := parts[3], fields[i]
		if parts[1] == "160000" || parts[1] == "120000" || strings.Trim(id, "0") == "" || seen[id] || inNeverEntered(path) {
			continue
		}
		seen[id] = true
		blobs = append(blobs, blob{id, commit, path})
	}
	return blobs, len(commits), nil
}

func inNeverEntered(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if neverEntered[part] {
			return true
		}
	}
	return false
}

// readBlobs reads each blob through one git process.
func readBlobs(ctx context.Context, top string, blobs []blob, visit func(b blob, content []byte, skipped string)) error {
	if len(blobs) == 0 {
		return nil
	}
	cmd := gitCommand(ctx, top, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return fault.New(fault.Internal, "start git").Wrap(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fault.New(fault.Internal, "start git").Wrap(err)
	}
	if err := cmd.Start(); err != nil {
		return fault.New(fault.Internal, "start git").Wrap(err)
	}
	read := func() error {
		reader := bufio.NewReaderSize(out, 1<<16)
		for _, b := range blobs {
			if _, err := io.WriteString(in, b.id+"\n"); err != nil {
				return err
			}
			header, err := reader.ReadString('\n')
			if err != nil {
				return err
			}
			fields := strings.Fields(header)
			if len(fields) != 3 || fields[1] != "blob" {
				continue // "missing", in a partial clone
			}
			size, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return err
			}
			if size > fileBytes {
				if _, err := io.CopyN(io.Discard, reader, size+1); err != nil {
					return err
				}
				visit(b, nil, fmt.Sprintf("larger than %d MB", fileBytes>>20))
				continue
			}
			content := make([]byte, size+1)
			if _, err := io.ReadFull(reader, content); err != nil {
				return err
			}
			if content = content[:size]; !isBinary(content) {
				visit(b, content, "")
			}
		}
		return nil
	}
	err = read()
	_ = in.Close()
	if waited := cmd.Wait(); err == nil {
		err = waited
	}
	if canceled := ctx.Err(); canceled != nil {
		return canceled
	}
	if err != nil {
		return fault.New(fault.Internal, "read the git history of %s", top).Wrap(err)
	}
	return nil
}
