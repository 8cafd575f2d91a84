package legacykey

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Request is one request of a collection, its variables filled in.
type Request struct {
	// Name is the folders and the name: "Contacts > List".
	Name   string
	Method string
	// URL may still hold {{variables}} that the collection gives no value; the
	// host is of no interest.
	URL string
	// Key: the request sends ?hapikey=; Bearer: it sends a bearer token.
	Key, Bearer bool
}

// ReadRequests reads a Postman collection (2.0 or 2.1), a .bru file, or a folder
// of them. Values of variables that hold the key or a token are not read.
func ReadRequests(file string) ([]Request, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fault.New(fault.NotFound, "%s does not exist", file).WithMend("name a Postman collection, a .bru file, or a folder of them")
	}
	if info.IsDir() {
		return readBrunoFolder(file)
	}
	if info.Size() > fileBytes {
		return nil, fault.New(fault.Invalid, "%s is larger than %d MB", file, fileBytes>>20)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read %s", file).Wrap(err)
	}
	if kindOf(file) == kindBruno {
		request, ok := readBruno(filepath.Base(file), string(content))
		if !ok {
			return nil, fault.New(fault.Invalid, "%s holds no request", file)
		}
		return []Request{request}, nil
	}
	root := parseJSON(content)
	if root == nil || root.get("item") == nil {
		return nil, fault.New(fault.Invalid, "%s is no Postman collection", file).WithMend("export it from Postman as Collection v2.1")
	}
	variables := map[string]string{}
	for _, v := range root.get("variable").itemsOf() {
		name := v.child(content, "key")
		if !secretName.MatchString(name) {
			variables[name] = v.child(content, "value")
		}
	}
	var list []Request
	readItems(content, root, "", root.get("auth"), variables, &list)
	return list, nil
}

var secretName = regexp.MustCompile(`(?i)key|token|secret|password`)

// readItems walks a collection's folders; auth is inherited.
func readItems(src []byte, parent *node, path string, auth *node, variables map[string]string, list *[]Request) {
	for _, item := range parent.get("item").itemsOf() {
		name := strings.TrimPrefix(path+" > "+item.child(src, "name"), " > ")
		own := auth
		if a := item.get("auth"); a != nil && a.kind == '{' {
			own = a
		}
		if item.get("item") != nil {
			readItems(src, item, name, own, variables, list)
		}
		request := item.get("request")
		if request == nil {
			continue
		}
		r := Request{Name: name, Method: strings.ToUpper(request.child(src, "method"))}
		address := request.get("url")
		if request.kind == '"' {
			address = request
		}
		r.URL = address.text(src)
		if address != nil && address.kind == '{' {
			r.URL = address.child(src, "raw")
		}
		if a := request.get("auth"); a != nil && a.kind == '{' {
			own = a
		}
		if r.Method == "" {
			r.Method = "GET"
		}
		r.Key = rawKey.MatchString(r.URL)
		r.Bearer = own.child(src, "type") == "bearer"
		r.URL = fill(r.URL, variables)
		*list = append(*list, r)
	}
}

var variableForm = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)

// fill puts values in the place of variables, those of variables too.
func fill(text string, variables map[string]string) string {
	for range 5 {
		filled := variableForm.ReplaceAllStringFunc(text, func(s string) string {
			if value, found := variables[variableForm.FindStringSubmatch(s)[1]]; found {
				return value
			}
			return s
		})
		if filled == text {
			break
		}
		text = filled
	}
	return text
}

// splitAddress returns path and query of an address whose host may be a
// variable.
func splitAddress(address string) (path, query string) {
	address = rawKey.ReplaceAllStringFunc(address, func(s string) string {
		if strings.HasSuffix(s, "&") {
			return s[:1]
		}
		return ""
	})
	address, _, _ = strings.Cut(address, "#")
	path, query, _ = strings.Cut(address, "?")
	if _, rest, found := strings.Cut(path, "://"); found {
		path = rest
	}
	if !strings.HasPrefix(path, "/") {
		at := strings.IndexByte(path, '/')
		if at < 0 {
			return "/", query
		}
		path = path[at:]
	}
	return path, query
}

// open returns the first variable in path or query that has no value.
func open(address string) string {
	path, query := splitAddress(address)
	if m := variableForm.FindStringSubmatch(path + "?" + query); m != nil {
		return m[1]
	}
	return ""
}

// shownPath is the path for eyes: without the query, where the key is.
func shownPath(address string) string {
	path, _ := splitAddress(address)
	return path
}

// readBrunoFolder reads every request below a folder.
func readBrunoFolder(dir string) ([]Request, error) {
	var list []Request
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (neverEntered[entry.Name()] || entry.Name() == "environments") {
			return fs.SkipDir
		}
		if entry.IsDir() || kindOf(path) != kindBruno {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if request, ok := readBruno(filepath.ToSlash(relative), string(content)); ok {
			list = append(list, request)
		}
		return nil
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the folder %s", dir).Wrap(err)
	}
	if len(list) == 0 {
		return nil, fault.New(fault.Invalid, "%s holds no request", dir).WithMend("name the folder of a Bruno collection")
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

// readBruno reads one .bru file; its name is its place in the folder.
func readBruno(name, text string) (Request, bool) {
	method, url := brunoMethod.FindStringSubmatch(text), brunoURL.FindStringSubmatch(text)
	if method == nil || url == nil {
		return Request{}, false
	}
	r := Request{Name: strings.TrimSuffix(name, ".bru"), Method: strings.ToUpper(method[1]), URL: url[2], Key: rawKey.MatchString(url[2])}
	if auth := brunoAuth.FindStringSubmatch(text); auth != nil {
		r.Bearer = auth[2] == "bearer"
	}
	return r, true
}
