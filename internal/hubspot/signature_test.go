package hubspot

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// The vectors are HubSpot's own, with the secret that its documentation uses.
func TestOnlyFreshDeliveriesOfHubSpotPass(t *testing.T) {
	const secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
	const address, body = "https://www.example.com/webhook_uri", `{'example_field':'example_value'}`
	sent := time.UnixMilli(1693657560000)
	good := Delivery{Method: "POST", URL: address, Body: []byte(body), Timestamp: "1693657560000", Signature: "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="}
	with := func(change func(*Delivery)) Delivery {
		d := good
		change(&d)
		return d
	}
	for _, c := range []struct {
		name   string
		secret string
		d      Delivery
		now    time.Time
		want   string // part of the message; empty: it passes
	}{
		{"the documented vector passes", secret, good, sent, ""},
		{"another documented vector passes", secret, with(func(d *Delivery) {
			d.Timestamp, d.Signature = "1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="
		}), time.UnixMilli(1700000300000), ""},
		{"it passes for five minutes", secret, good, sent.Add(5 * time.Minute), ""},
		{"older than five minutes is a replay", secret, good, sent.Add(5*time.Minute + time.Millisecond), "5m0s away"},
		{"from the future is refused as well", secret, good, sent.Add(-6 * time.Minute), "6m0s away"},
		{"one changed character of the body is refused", secret, with(func(d *Delivery) { d.Body = []byte(strings.Replace(body, "value", "valuf", 1)) }), sent, "not HubSpot's"},
		{"another address is refused", secret, with(func(d *Delivery) { d.URL += "?x=1" }), sent, "not HubSpot's"},
		{"another secret is refused", "zzzz", good, sent, "not HubSpot's"},
		{"a later time with the old signature is refused", secret, with(func(d *Delivery) { d.Timestamp = "1693657560001" }), sent, "not HubSpot's"},
		{"without a signature it is refused", secret, with(func(d *Delivery) { d.Signature = "" }), sent, "carries no"},
		{"without a time it is refused", secret, with(func(d *Delivery) { d.Timestamp = "" }), sent, "carries no"},
		{"no base64 is refused", secret, with(func(d *Delivery) { d.Signature = "%%%" }), sent, "not HubSpot's"},
		{"without a secret nothing passes", "", good, sent, "no client secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckSignature(c.secret, c.d, c.now)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v, want it to pass", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAddressesAreSignedWithTheseEscapesUndone(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/hook":                                   "https://a.example/hook",
		"https://a.example/a%20b%3Ac?u=https%3A%2F%2Fb.example%2F": "https://a.example/a%20b:c?u=https://b.example/",
		"https://a.example/h?x=%26%3D%40":                          "https://a.example/h?x=%26%3D@",
	} {
		if got := signedURL(in); got != want {
			t.Errorf("%s is signed as %s, want %s", in, got, want)
		}
	}
	d := Delivery{Method: "POST", URL: "https://a.example/h?x=%40", Timestamp: strconv.FormatInt(time.Now().UnixMilli(), 10)}
	plain := d
	plain.URL = "https://a.example/h?x=@"
	if string(signature("s", d)) != string(signature("s", plain)) {
		t.Error("an escaped and a plain @ give different signatures")
	}
}
