package today

import (
	"net/http"
	"os"
)

func authorize(req *http.Request) {
	req.Header.Set("Authorization", "Bearer "+os.Getenv("HUBSPOT_ACCESS_TOKEN"))
}
