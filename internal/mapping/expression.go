package mapping

import "github.com/lockstep-sync/lockstep/internal/crm"

// Program is a compiled expression of the mapping. The zero Program is not usable.
type Program struct {
	// Source is the expression as written.
	Source string
	// HubSpotFields and SalesforceFields are the fields it reads.
	HubSpotFields    []string
	SalesforceFields []string
	run              func(hubspot, salesforce *crm.Record) (any, error)
}
