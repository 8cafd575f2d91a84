package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// hubSpotWebhookCalls are the calls about what apps hear of.
func (s *Sandbox) hubSpotWebhookCalls() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"GET /hubspot/webhooks":                 s.listWebhooks,
		"PUT /hubspot/apps/{appId}/webhooks":    s.setWebhooks,
		"POST /hubspot/apps/{appId}/webhooks":   s.uploadWebhooks,
		"DELETE /hubspot/apps/{appId}/webhooks": s.dropWebhooks,
	}
}

func (s *Sandbox) listWebhooks(*http.Request) (any, error) {
	apps := s.HubSpot().Webhooks()
	if apps == nil {
		apps = []hubspot.AppWebhooks{}
	}
	return map[string]any{"apps": apps, "pendingEvents": s.HubSpot().PendingWebhooks()}, nil
}

func webhookApp(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("appId"), 10, 64)
	if err != nil {
		return 0, bad("GET /hubspot/accounts and GET /hubspot/apps list the apps", "%q is no app's id", r.PathValue("appId"))
	}
	return id, nil
}

// setWebhooks replaces an app's webhooks, as the page of a private app does.
func (s *Sandbox) setWebhooks(r *http.Request) (any, error) {
	var body struct {
		TargetURL     string `json:"targetUrl"`
		Max           int    `json:"maxConcurrentRequests"`
		Subscriptions []struct {
			EventType    string `json:"eventType"`
			PropertyName string `json:"propertyName"`
			ObjectTypeID string `json:"objectTypeId"`
			Active       *bool  `json:"active"` // absent: it is
		} `json:"subscriptions"`
	}
	id, err := webhookApp(r)
	if err != nil {
		return nil, err
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	var all []hubspot.Subscription
	for _, in := range body.Subscriptions {
		all = append(all, hubspot.Subscription{
			EventType: in.EventType, PropertyName: in.PropertyName, ObjectTypeID: in.ObjectTypeID, Active: in.Active == nil || *in.Active,
		})
	}
	return s.HubSpot().SetWebhooks(id, hubspot.WebhookSettings{TargetURL: body.TargetURL, MaxConcurrentRequests: body.Max}, all...)
}

// uploadWebhooks takes a webhooks-hsmeta.json as it is in a project.
func (s *Sandbox) uploadWebhooks(r *http.Request) (any, error) {
	id, err := webhookApp(r)
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bad("send the content of webhooks-hsmeta.json", "the file did not arrive whole")
	}
	made, err := s.HubSpot().UploadWebhooks(id, file)
	var refused *hubspot.AppFileError
	if errors.As(err, &refused) {
		return nil, bad("mend the file and send it again", "the file was refused: %s", strings.Join(refused.Problems, "; "))
	}
	return made, err
}

func (s *Sandbox) dropWebhooks(r *http.Request) (any, error) {
	id, err := webhookApp(r)
	if err != nil {
		return nil, err
	}
	return nil, s.HubSpot().DropWebhooks(id)
}
