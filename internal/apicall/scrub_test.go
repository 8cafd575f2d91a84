package apicall

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestACredentialThatIsRepeatedReadsAsStars(t *testing.T) {
	const secret = "pat-na1-00000000-fake"
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{secret, "pat-na1", "pat-na1-pat-na1-", "p", "xyz", `{"message":"`, secret[:20]}), 0, 12).Draw(rt, "parts")
		text := strings.Join(parts, "")
		want := strings.ReplaceAll(text, secret, strings.Repeat("*", len(secret)))
		var body io.Reader = strings.NewReader(text)
		switch rapid.SampledFrom([]string{"whole", "bytes", "halves", "error with data"}).Draw(rt, "arrives") {
		case "bytes":
			body = iotest.OneByteReader(body)
		case "halves":
			body = iotest.HalfReader(body)
		case "error with data":
			body = iotest.DataErrReader(body)
		}
		reader := &scrubber{body: body, secret: []byte(secret)}
		var got bytes.Buffer
		piece := make([]byte, rapid.SampledFrom([]int{1, 3, 16, 64, 4096}).Draw(rt, "buffer"))
		for {
			n, err := reader.Read(piece)
			got.Write(piece[:n])
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if got.String() != want {
			rt.Fatalf("got  %q\nwant %q", &got, want)
		}
	})
}
