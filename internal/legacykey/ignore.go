package legacykey

import (
	"path"
	"strings"
)

// ignoreFile is one .gitignore: its patterns in order, the last match decides
// (https://git-scm.com/docs/gitignore).
type ignoreFile struct {
	// dir is the folder of the file, relative to the root of the walk; "" is the root.
	dir      string
	patterns []ignorePattern
}

type ignorePattern struct {
	// parts are the pattern's path segments; "**" stands for any number of them.
	parts    []string
	negated  bool
	dirsOnly bool
}

// parseIgnore reads the text of a .gitignore in dir.
func parseIgnore(dir, content string) ignoreFile {
	file := ignoreFile{dir: dir}
	for line := range strings.Lines(strings.TrimPrefix(content, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		line = trimUnescapedBlanks(line)
		if line == "" || line[0] == '#' {
			continue
		}
		var p ignorePattern
		if line[0] == '!' {
			p.negated, line = true, line[1:]
		}
		if strings.HasPrefix(line, `\#`) || strings.HasPrefix(line, `\!`) {
			line = line[1:]
		}
		if strings.HasSuffix(line, "/") {
			p.dirsOnly, line = true, strings.TrimRight(line, "/")
		}
		if line == "" {
			continue
		}
		anchored := strings.Contains(line, "/")
		line = strings.TrimPrefix(line, "/")
		p.parts = strings.Split(line, "/")
		if !anchored {
			p.parts = append([]string{"**"}, p.parts...)
		}
		file.patterns = append(file.patterns, p)
	}
	return file
}

// trimUnescapedBlanks takes off the blanks at the end, unless a backslash keeps
// one.
func trimUnescapedBlanks(line string) string {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	return line
}

// match says whether this file's patterns decide about name (relative to the
// root), and how.
func (f *ignoreFile) match(name string, isDir bool) (ignored, decided bool) {
	if f.dir != "" {
		rest, inside := strings.CutPrefix(name, f.dir+"/")
		if !inside {
			return false, false
		}
		name = rest
	}
	segments := strings.Split(name, "/")
	for i := len(f.patterns) - 1; i >= 0; i-- {
		p := &f.patterns[i]
		if p.dirsOnly && !isDir {
			continue
		}
		if matchParts(p.parts, segments) {
			return !p.negated, true
		}
	}
	return false, false
}

// matchParts matches segment by segment; "**" takes any number, and at the end
// at least one.
func matchParts(parts, segments []string) bool {
	for len(parts) > 0 {
		if parts[0] == "**" {
			rest := parts[1:]
			if len(rest) == 0 {
				return len(segments) > 0
			}
			for i := range segments {
				if matchParts(rest, segments[i:]) {
					return true
				}
			}
			return false
		}
		if len(segments) == 0 || !matchSegment(parts[0], segments[0]) {
			return false
		}
		parts, segments = parts[1:], segments[1:]
	}
	return len(segments) == 0
}

// matchSegment is path.Match with git's "[!a]" for "[^a]"; "**" inside a
// segment is "*". A pattern that is no pattern matches itself only.
func matchSegment(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "[!", "[^"), name)
	if err != nil {
		return pattern == name
	}
	return ok
}

// ignored asks the files from the innermost to the root; the first that decides
// wins. Folders are asked before what is in them, so a file below an ignored
// folder is never reached.
func ignored(files []ignoreFile, name string, isDir bool) bool {
	for i := len(files) - 1; i >= 0; i-- {
		if is, decided := files[i].match(name, isDir); decided {
			return is
		}
	}
	return false
}
