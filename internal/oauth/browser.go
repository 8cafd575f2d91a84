package oauth

import (
	"errors"
	"os/exec"
	"runtime"
)

// ErrNoBrowser says that no browser can be opened from here.
var ErrNoBrowser = errors.New("there is no browser to open here")

// OpenBrowser opens an address in the person's browser. It starts a program and
// does not wait for it; ErrNoBrowser when there is no screen or no such program.
// env reads the environment.
func OpenBrowser(env func(string) string, address string) error {
	for _, command := range browserCommands(runtime.GOOS, env) {
		path, err := exec.LookPath(command[0])
		if err != nil {
			continue
		}
		browser := exec.Command(path, append(command[1:], address)...)
		if browser.Start() != nil {
			continue
		}
		go func() { _ = browser.Wait() }()
		return nil
	}
	return ErrNoBrowser
}

// browserCommands lists what may open an address on a system, best first.
func browserCommands(system string, env func(string) string) [][]string {
	switch system {
	case "darwin":
		return [][]string{{"open"}}
	case "windows":
		return [][]string{{"rundll32", "url.dll,FileProtocolHandler"}}
	}
	if env("WSL_DISTRO_NAME") != "" {
		return [][]string{{"wslview"}, {"xdg-open"}}
	}
	if env("DISPLAY") == "" && env("WAYLAND_DISPLAY") == "" {
		return nil
	}
	return [][]string{{"xdg-open"}, {"gio", "open"}}
}
