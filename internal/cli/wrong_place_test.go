package cli

import (
	"bytes"
	"testing"
)

func TestWhatWasPastedIntoACommandLineIsNotRepeated(t *testing.T) {
	cases := []struct {
		name string
		args []string
		env  string
		says string
		want string
	}{
		{"a token as an argument", []string{"check", "pat-na1-00000000-fake-fake"}, "", `takes no argument "pat-na1-00000000-fake-fake"`, `takes no argument "[…]"`},
		{"a token as the value of a flag", []string{"--config=pat-na1-00000000-fake-fake"}, "", "no pat-na1-00000000-fake-fake here", "no […] here"},
		{"a secret of no known form", []string{"--name", "Fake-Passw0rd-7788QrStUvWx"}, "", "Fake-Passw0rd-7788QrStUvWx", "[…]"},
		{"the query of an address", []string{"https://u:fakepass@h.example/p?hapikey=12345678"}, "", "at https://u:fakepass@h.example/p?hapikey=12345678", "at https://u:[…]@h.example/p?[…]"},
		{"a secret that is taken for a path", []string{"force://PlatformCLI::5Aep861fakefakefake0123456789.AbCd@acme.my.salesforce.com"}, "",
			"no force:/PlatformCLI::5Aep861fakefakefake0123456789.AbCd@acme.my.salesforce.com", "no force:/PlatformCLI::[…]@acme.my.salesforce.com"},
		{"every line of a private key", []string{"-----BEGIN PRIVATE KEY-----\nMIIfake0123456789abcdef\n/5lafakefakefa\n-----END PRIVATE KEY-----"}, "",
			"no MIIfake0123456789abcdef /5lafakefakefa here", "no […] […] here"},
		{"an environment variable", []string{"connect"}, "pat-eu1-00000000-fake-fake", "got pat-eu1-00000000-fake-fake", "got […]"},
		{"a client id is no secret", []string{"--client-id", "00000000-fa4e-4000-9000-000000000001"}, "", "?client_id=00000000-fa4e-4000-9000-000000000001", "?client_id=00000000-fa4e-4000-9000-000000000001"},
		{"nor after an equals sign", []string{"--client-id=00000000-fa4e-4000-9000-000000000001"}, "", "?client_id=00000000-fa4e-4000-9000-000000000001", "?client_id=00000000-fa4e-4000-9000-000000000001"},
		{"a token in its place is one", []string{"--client-id", "pat-na1-00000000-fake-fake"}, "", "?client_id=pat-na1-00000000-fake-fake", "?client_id=[…]"},
		{"an API key elsewhere is one", []string{"--name", "00000000-fa4e-4000-9000-000000000001"}, "", "no 00000000-fa4e-4000-9000-000000000001 here", "no […] here"},
		{"names, paths and addresses are repeated", []string{"--config", "/home/ada/work-2026/customers/lockstep.yaml", "sync", "http://127.0.0.1:41234", "acme-production-emea"}, "",
			"no /home/ada/work-2026/customers/lockstep.yaml at http://127.0.0.1:41234 for acme-production-emea", "no /home/ada/work-2026/customers/lockstep.yaml at http://127.0.0.1:41234 for acme-production-emea"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			s := Streams{Out: &out, Err: &errs, IsTerminal: func(stream any) bool { return stream == &errs }, Env: func(name string) string {
				if name == "LOCKSTEP_HUBSPOT_TOKEN" {
					return c.env
				}
				return ""
			}}.withoutPasted(c.args)
			if n, err := s.Err.Write([]byte(c.says)); n != len(c.says) || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
			if errs.String() != c.want {
				t.Errorf("got  %s\nwant %s", &errs, c.want)
			}
			if !s.terminal(s.Err) || s.terminal(s.Out) {
				t.Error("it is no longer known which stream is a terminal")
			}
		})
	}
}
