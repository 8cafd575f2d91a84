package legacykey

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// fileBytes is the largest file that is read; larger ones are told as skipped.
	fileBytes = 5 << 20
	// sniffBytes is where a zero byte makes a file binary, as git does it.
	sniffBytes = 8000
	// ignoreBytes is the largest .gitignore that is read.
	ignoreBytes = 1 << 20
)

// neverEntered are folders that hold other people's code or git's own data.
var neverEntered = map[string]bool{".git": true, "node_modules": true, ".hg": true, ".svn": true}

// walker visits the text files below some paths.
type walker struct {
	ignore  bool
	visit   func(name, path string, mode fs.FileMode, content []byte) error
	skipped []Skipped
	files   int
	bytes   int64
	seen    map[string]bool
}

// walk visits root, a file or a folder. What is named is always looked at;
// what is below it only if .gitignore lets it.
func (w *walker) walk(ctx context.Context, root string) error {
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "%s does not exist", root).WithMend("name a file or a folder that exists")
	case err != nil:
		return fault.New(fault.Invalid, "open %s", root).Wrap(err)
	}
	if !info.IsDir() {
		return w.file(root, filepath.ToSlash(root), info)
	}
	var files []ignoreFile
	above := ""
	if w.ignore {
		files, above, err = ignoreAbove(root)
		if err != nil {
			return err
		}
	}
	return w.folder(ctx, root, above, files)
}

// folder visits dir; relative is its name as the ignore files see it.
func (w *walker) folder(ctx context.Context, dir, relative string, files []ignoreFile) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.skipped = append(w.skipped, Skipped{filepath.ToSlash(dir), "cannot be read"})
		return nil
	}
	if w.ignore {
		file, err := readIgnore(dir, relative)
		if err != nil {
			return err
		}
		if len(file.patterns) > 0 {
			files = append(files[:len(files):len(files)], file)
		}
	}
	for _, entry := range entries {
		path, name := filepath.Join(dir, entry.Name()), entry.Name()
		if relative != "" {
			name = relative + "/" + name
		}
		if w.ignore && ignored(files, name, entry.IsDir()) {
			continue
		}
		switch {
		case entry.IsDir():
			if neverEntered[entry.Name()] {
				continue
			}
			if err := w.folder(ctx, path, name, files); err != nil {
				return err
			}
		case entry.Type().IsRegular():
			info, err := entry.Info()
			if err != nil {
				continue
			}
			if err := w.file(path, filepath.ToSlash(path), info); err != nil {
				return err
			}
		}
		// A symbolic link is not followed: what it leads to is either in the tree,
		// and visited there, or outside of what was asked for.
	}
	return nil
}

func (w *walker) file(path, name string, info fs.FileInfo) error {
	if full, err := filepath.Abs(path); err == nil {
		if w.seen[full] {
			return nil
		}
		w.seen[full] = true
	}
	if !info.Mode().IsRegular() {
		w.skipped = append(w.skipped, Skipped{name, "not a regular file"})
		return nil
	}
	if info.Size() > fileBytes {
		w.skipped = append(w.skipped, Skipped{name, fmt.Sprintf("larger than %d MB", fileBytes>>20)})
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		w.skipped = append(w.skipped, Skipped{name, "cannot be read"})
		return nil
	}
	if isBinary(content) {
		return nil
	}
	w.files++
	w.bytes += int64(len(content))
	return w.visit(name, path, info.Mode(), content)
}

func isBinary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), sniffBytes)], 0) >= 0
}

// readIgnore reads dir's .gitignore, if there is one.
func readIgnore(dir, relative string) (ignoreFile, error) {
	path := filepath.Join(dir, ".gitignore")
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > ignoreBytes {
		return ignoreFile{}, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return ignoreFile{}, nil
	}
	return parseIgnore(relative, string(content)), nil
}

// ignoreAbove reads the .gitignore files between the root of dir's repository
// and dir, whose patterns reach down to it. It returns dir's name as seen from
// that root, too.
func ignoreAbove(dir string) ([]ignoreFile, string, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", fault.New(fault.Internal, "find %s", dir).Wrap(err)
	}
	var names []string
	for top := full; ; {
		if _, err := os.Stat(filepath.Join(top, ".git")); err == nil {
			var files []ignoreFile
			at, relative := top, ""
			for i := len(names) - 1; i >= 0; i-- {
				file, err := readIgnore(at, relative)
				if err != nil {
					return nil, "", err
				}
				files = append(files, file)
				at = filepath.Join(at, names[i])
				relative = strings.TrimPrefix(relative+"/"+names[i], "/")
			}
			return files, relative, nil
		}
		parent := filepath.Dir(top)
		if parent == top {
			return nil, "", nil
		}
		names = append(names, filepath.Base(top))
		top = parent
	}
}
