package hubspot

import (
	"io"
	"net/http"
	"net/url"
)

// decode reads a 2xx answer, afresh on each attempt.
type decode = func(status int, header http.Header, body io.Reader) error

// paths spells addresses in the version family that the client was made for:
// v3 and v4, or a dated release, in which the version follows the API's name.
// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
type paths struct{ version string }

func (p paths) api(name, old string) string {
	if p.version == "" {
		return "/crm/" + old + "/" + name
	}
	return "/crm/" + name + "/" + p.version
}

func (p paths) objects(object string) string { return p.api("objects", "v3") + "/" + escape(object) }

func (p paths) object(object, id string) string { return p.objects(object) + "/" + escape(id) }

func (p paths) batch(object, verb string) string { return p.objects(object) + "/batch/" + verb }

func (p paths) search(object string) string { return p.objects(object) + "/search" }

func (p paths) properties(object string) string {
	return p.api("properties", "v3") + "/" + escape(object)
}

func (p paths) pipelines(object string) string {
	return p.api("pipelines", "v3") + "/" + escape(object)
}

func (p paths) owners() string { return p.api("owners", "v3") }

func (p paths) schemas() string {
	if p.version == "" {
		return "/crm-object-schemas/v3/schemas"
	}
	return "/crm-object-schemas/" + p.version + "/schemas"
}

func (p paths) account() string {
	if p.version == "" {
		return "/account-info/v3/details"
	}
	return "/account-info/" + p.version + "/details"
}

// tokenInfo exists in one form only.
func (p paths) tokenInfo() string { return "/oauth/v2/private-apps/get/access-token-info" }

func (p paths) associations(from, to string) string {
	return p.api("associations", "v4") + "/" + escape(from) + "/" + escape(to)
}

// associationTypes lists the names that v3 uses inside records.
func (p paths) associationTypes(from, to string) string {
	return "/crm/v3/associations/" + escape(from) + "/" + escape(to) + "/types"
}

func (p paths) associationsOf(from, id, to string) string {
	return p.api("objects", "v4") + "/" + escape(from) + "/" + escape(id) + "/associations/" + escape(to)
}

func escape(segment string) string { return url.PathEscape(segment) }
