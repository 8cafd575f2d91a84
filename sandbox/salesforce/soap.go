package salesforce

import (
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"
)

// loginUntil is the last version whose SOAP API has login().
// https://help.salesforce.com/s/articleView?id=005132110
const loginUntil = 64

// soapEnvelope is as much of a request as is read: namespaces do not matter.
type soapEnvelope struct {
	Header struct {
		SessionHeader struct {
			SessionID string `xml:"sessionId"`
		} `xml:"SessionHeader"`
		CallOptions struct {
			Client string `xml:"client"`
		} `xml:"CallOptions"`
	} `xml:"Header"`
	Body struct {
		Login *struct {
			Username string `xml:"username"`
			Password string `xml:"password"`
		} `xml:"login"`
		Logout      *struct{} `xml:"logout"`
		GetUserInfo *struct{} `xml:"getUserInfo"`
		Timestamp   *struct{} `xml:"getServerTimestamp"`
		Other       []element `xml:",any"`
	} `xml:"Body"`
}

// soap answers login, logout, getUserInfo and getServerTimestamp, and the record
// calls of soap_records.go.
func (c *call) soap() (*reply, error) {
	version, problem := parseVersion(c.params["v"])
	if problem != nil {
		return soapFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL"), nil
	}
	c.version = version
	var e soapEnvelope
	if err := xml.Unmarshal(c.body, &e); err != nil {
		return soapFault("MALFORMED_REQUEST", "The request is no SOAP envelope"), nil
	}
	s := c.server
	if e.Body.Login != nil {
		if version > loginUntil {
			return soapFault("UNSUPPORTED_API_VERSION", fmt.Sprintf("SOAP API login() is not available in API version %d.0", version)), nil
		}
		u := s.signIn(e.Body.Login.Username, e.Body.Login.Password)
		if u == nil {
			return soapFault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out."), nil
		}
		made := s.issue(u, "", []string{"full"})
		base := fmt.Sprintf("%s/services/Soap/%%s/%d.0/%s", s.origin, version, s.orgID[:shortIDLength])
		return soapAnswer("login", "<metadataServerUrl>"+fmt.Sprintf(base, "m")+"</metadataServerUrl><passwordExpired>false</passwordExpired><sandbox>false</sandbox>"+
			"<serverUrl>"+fmt.Sprintf(base, "u")+"</serverUrl><sessionId>"+made.Token+"</sessionId><userId>"+u.id+"</userId><userInfo>"+c.soapUser(u)+"</userInfo>"), nil
	}
	found := s.sessions.use(e.Header.SessionHeader.SessionID, s.nowSeconds())
	if found == nil {
		return soapFault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session"), nil
	}
	c.user, c.tx.user = found.user, found.user
	c.client = e.Header.CallOptions.Client
	c.tx.origin = c.changeOrigin()
	switch {
	case e.Body.Logout != nil:
		s.sessions.revoke(found.Token)
		return soapAnswer("logout", ""), nil
	case e.Body.GetUserInfo != nil:
		return soapAnswer("getUserInfo", c.soapUser(found.user)), nil
	case e.Body.Timestamp != nil:
		return soapAnswer("getServerTimestamp", "<timestamp>"+s.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z")+"</timestamp>"), nil
	}
	if len(e.Body.Other) == 1 {
		return c.soapRecords(&e.Body.Other[0]), nil
	}
	return soapFault("INVALID_OPERATION", "No operation available for this request"), nil
}

func (c *call) soapUser(u *user) string {
	s := c.server
	r := s.object("User").find(u.id)
	var b strings.Builder
	for _, p := range [...][2]string{
		{"accessibilityMode", "false"}, {"chatterExternal", "false"}, {"currencySymbol", "$"}, {"orgAttachmentFileSizeLimit", "26214400"},
		{"orgDefaultCurrencyIsoCode", "USD"}, {"orgDefaultCurrencyLocale", "en_US"}, {"orgDisallowHtmlAttachments", "false"}, {"orgHasPersonAccounts", "false"},
		{"organizationId", s.orgID}, {"organizationMultiCurrency", "false"}, {"organizationName", s.object("Organization").rows[0].get(s.object("Organization").nameField).text},
		{"profileId", s.userField(r, "profileid")}, {"roleId", s.userField(r, "userroleid")}, {"sessionSecondsValid", fmt.Sprint(int(s.SessionTimeout() / time.Second))},
		{"userDefaultCurrencyIsoCode", ""}, {"userEmail", u.Email}, {"userFullName", s.userField(r, "name")}, {"userId", u.id}, {"userLanguage", "en_US"},
		{"userLocale", "en_US"}, {"userName", u.Username}, {"userTimeZone", "GMT"}, {"userType", "Standard"}, {"userUiSkin", "Theme3"},
	} {
		if p[1] == "" {
			b.WriteString("<" + p[0] + ` xsi:nil="true"/>`)
			continue
		}
		b.WriteString("<" + p[0] + ">" + html.EscapeString(p[1]) + "</" + p[0] + ">")
	}
	return b.String()
}

// Clients find the parts by their names: the envelope with a prefix, what is
// inside the body without.
const soapHead = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`

func soapReply(status int, body string) *reply {
	r := answer(status, []byte(body))
	r.contentType = "text/xml; charset=utf-8"
	return r
}

func soapAnswer(operation, result string) *reply {
	inside := result
	if result != "" && !strings.HasPrefix(result, "<result>") {
		inside = "<result>" + result + "</result>"
	}
	return soapReply(http.StatusOK, soapHead+"<soapenv:Body><"+operation+"Response>"+inside+"</"+operation+"Response></soapenv:Body></soapenv:Envelope>")
}

func soapFault(code, message string) *reply {
	message = html.EscapeString(message)
	return soapReply(http.StatusInternalServerError, strings.Replace(soapHead, `xmlns="urn:partner.soap.sforce.com"`, `xmlns:sf="urn:fault.partner.soap.sforce.com"`, 1)+
		"<soapenv:Body><soapenv:Fault><faultcode>sf:"+code+"</faultcode><faultstring>"+code+": "+message+"</faultstring><detail><sf:LoginFault xsi:type=\"sf:LoginFault\"><sf:exceptionCode>"+
		code+"</sf:exceptionCode><sf:exceptionMessage>"+message+"</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>")
}
