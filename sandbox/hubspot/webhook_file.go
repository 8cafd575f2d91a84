package hubspot

import (
	"encoding/json"
	"fmt"
	"strings"
)

// webhooksFile is src/app/webhooks/webhooks-hsmeta.json of a project.
type webhooksFile struct {
	UID    string `json:"uid"`
	Type   string `json:"type"`
	Config struct {
		Settings struct {
			TargetURL             string `json:"targetUrl"`
			MaxConcurrentRequests int    `json:"maxConcurrentRequests"`
		} `json:"settings"`
		Subscriptions struct {
			CRMObjects       []fileSubscription `json:"crmObjects"`
			LegacyCRMObjects []fileSubscription `json:"legacyCrmObjects"`
			HubEvents        []fileSubscription `json:"hubEvents"`
		} `json:"subscriptions"`
	} `json:"config"`
}

type fileSubscription struct {
	Type       string `json:"subscriptionType"`
	ObjectType string `json:"objectType"`
	Property   string `json:"propertyName"`
	Active     *bool  `json:"active"` // absent: it is
}

// UploadWebhooks takes a webhooks-hsmeta.json, as a project's upload and deploy
// do, and replaces the app's webhooks with what it says. Errors of the file's own
// are *[AppFileError].
func (s *Server) UploadWebhooks(appID int64, file []byte) (AppWebhooks, error) {
	var in webhooksFile
	if len(file) > appFileBytes {
		return AppWebhooks{}, &AppFileError{[]string{fmt.Sprintf("it is larger than %d bytes", appFileBytes)}}
	}
	if err := json.Unmarshal(file, &in); err != nil {
		return AppWebhooks{}, &AppFileError{[]string{"it is not the JSON of webhooks: " + err.Error()}}
	}
	var problems []string
	if in.Type != "webhooks" {
		problems = append(problems, fmt.Sprintf(`type is %q, and must be "webhooks"`, in.Type))
	}
	var all []Subscription
	take := func(place string, from []fileSubscription, objects bool) {
		for i, f := range from {
			made := Subscription{EventType: f.Type, PropertyName: f.Property, Active: f.Active == nil || *f.Active}
			if isObject := strings.HasPrefix(f.Type, "object."); isObject != objects {
				problems = append(problems, fmt.Sprintf("config.subscriptions.%s[%d] has the subscriptionType %q, which belongs elsewhere", place, i, f.Type))
			} else if objects {
				if made.ObjectTypeID = s.typeID(f.ObjectType); made.ObjectTypeID == "" {
					problems = append(problems, fmt.Sprintf("config.subscriptions.%s[%d] has the objectType %q, which does not exist", place, i, f.ObjectType))
				}
			}
			all = append(all, made)
		}
	}
	take("crmObjects", in.Config.Subscriptions.CRMObjects, true)
	take("legacyCrmObjects", in.Config.Subscriptions.LegacyCRMObjects, false)
	take("hubEvents", in.Config.Subscriptions.HubEvents, false)
	if len(problems) > 0 {
		return AppWebhooks{}, &AppFileError{problems}
	}
	settings := in.Config.Settings
	return s.SetWebhooks(appID, WebhookSettings{TargetURL: settings.TargetURL, MaxConcurrentRequests: settings.MaxConcurrentRequests}, all...)
}

// typeID is the id of an object type by any of its names; "" when there is none.
func (s *Server) typeID(name string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.table(name); t != nil {
		return t.kind.typeID
	}
	return ""
}
