package sandbox

import (
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/story"
)

// peopleBeside is how large the business in a further HubSpot account is.
const peopleBeside = 12

// tellBeside fills a further HubSpot account, which has no org to go with it.
func tellBeside(account *hubspot.Server, s *story.Story, start time.Time) {
	for i := range s.Owners() {
		o := s.Owner(i)
		account.AddOwner(hubspot.Owner{Email: o.Email, FirstName: o.First, LastName: o.Last, Archived: o.Archived, CreatedAt: start.Add(-o.Created)})
	}
	for i := range s.Companies() {
		if c := s.Company(i).HubSpot; c != nil {
			values := fill{}
			values.set("name", c.Name)
			values.set("domain", c.Domain)
			values.set("city", c.City)
			account.Insert("companies", values, start.Add(-c.Created), start.Add(-c.Modified))
		}
	}
	for i := range s.People() {
		if p := s.Person(i).HubSpot; p != nil {
			values := fill{}
			values.set("email", p.Email)
			values.set("firstname", p.First)
			values.set("lastname", p.Last)
			account.Insert("contacts", values, start.Add(-p.Created), start.Add(-p.Modified))
		}
	}
}
