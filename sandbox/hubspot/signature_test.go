package hubspot_test

import (
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestSignatures(t *testing.T) {
	const (
		secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
		uri    = "https://www.example.com/webhook_uri"
		events = `[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]`
		single = `{'example_field':'example_value'}`
	)
	for _, test := range []struct {
		name, version, method, uri, body string
		at                               int64
		want                             string
	}{
		{"v1 of a delivery", "v1", "POST", uri, events, 0, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"},
		{"v1 looks at nothing but secret and body", "v1", "", "", single, 0, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"},
		{"v2 of a GET without a body", "v2", "GET", uri, "", 0, "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"},
		{"v2 of a POST", "v2", "POST", uri, `{"example_field":"example_value"}`, 0, "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"},
		{"v2 of a POST with other quotes", "v2", "POST", uri, single, 0, "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"},
		{"v3", "v3", "POST", uri, single, 1693657560000, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="},
		{"v3 at another time", "v3", "POST", uri, single, 1700000300000, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="},
		{"v3 signs some escapes decoded", "v3", "POST", "https://www.example.com/webhook%5Furi?a=%2C", single, 1693657560000,
			hubspot.Sign("v3", secret, "POST", "https://www.example.com/webhook%5Furi?a=,", []byte(single), 1693657560000)},
		{"there is no v4", "v4", "POST", uri, single, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := hubspot.Sign(test.version, secret, test.method, test.uri, []byte(test.body), test.at); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
