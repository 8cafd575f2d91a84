package story

import "time"

// Owner is a colleague who looks after records.
type Owner struct {
	Index int
	First string
	Last  string
	// Email is how HubSpot writes it; UserEmail is Salesforce's, empty where
	// there is no such user.
	Email     string
	UserEmail string
	// Active: the Salesforce user may own records.
	Active bool
	// Archived: has left, in HubSpot's view.
	Archived bool
	Mess     Mess
	Created  time.Duration
}

// ownDomain is where all owners work.
const ownDomain = "brightwater.example"

// Owner tells about owner i, from 0 to Owners()-1.
func (s *Story) Owner(i int) Owner {
	d := newDice(s.seed, saltOwner, i)
	c := s.cultures[english]
	at := int((s.seed%7)*11) + i*17
	first, last := c.first[at%len(c.first)], c.last[at%len(c.last)]
	o := Owner{
		Index: i, First: first.text, Last: last.text, Active: true,
		Email:   first.slug + "." + last.slug + "@" + ownDomain,
		Created: Span + time.Duration(d.between(1, 300))*24*time.Hour,
	}
	o.UserEmail = o.Email
	switch {
	case i == 2 || i == 6 || i > 7 && d.share(.1):
		o.UserEmail, o.Mess = "", NoUser
	case i == 3 || i == 7 || i > 7 && d.share(.08):
		o.Active, o.Mess = false, InactiveUser
	case i == 1 || i == 5:
		o.UserEmail, o.Mess = title(first.slug)+"."+title(last.slug)+"@BrightWater.example", EmailCase
	}
	o.Archived = i == 7
	return o
}

// title makes the first letter a capital.
func title(slug string) string {
	if slug == "" {
		return ""
	}
	b := []byte(slug)
	if b[0] >= 'a' && b[0] <= 'z' {
		b[0] -= 'a' - 'A'
	}
	return string(b)
}
