package engine

import (
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// add learns the people of side and who they are on the other side. An e-mail
// that two active people of the other side share names nobody.
func (b *ownerBook) add(side crm.Side, here, there []crm.Owner) {
	byEmail := map[string]string{}
	for _, o := range there {
		email := strings.ToLower(strings.TrimSpace(o.Email))
		if !o.Active || email == "" {
			continue
		}
		if id, ok := byEmail[email]; ok && id != o.ID {
			byEmail[email] = ""
			continue
		}
		byEmail[email] = o.ID
	}
	for _, o := range here {
		name := o.Name
		if name == "" {
			name = o.Email
		}
		b.names[side][o.ID] = name
		b.people[side][o.ID] = o
		if id := byEmail[strings.ToLower(strings.TrimSpace(o.Email))]; id != "" && o.Email != "" {
			b.other[side][o.ID] = id
		}
	}
}

// queuePrefix begins the ids of Salesforce's queues and groups.
const queuePrefix = "00G"

// trouble says why an owner has no counterpart on the other side.
func (b *ownerBook) trouble(side crm.Side, id string) string {
	o, known := b.people[side][id]
	email := strings.ToLower(strings.TrimSpace(o.Email))
	switch {
	case side == crm.Salesforce && strings.HasPrefix(id, queuePrefix):
		return "is a queue, and " + side.Other().Title() + " has no owner for that"
	case !known:
		return "is not among those who may own records there"
	case o.Queue:
		return "is a queue, and " + side.Other().Title() + " has no owner for that"
	case email == "":
		return "has no e-mail address to be found by in " + side.Other().Title()
	}
	found, active := 0, 0
	for _, other := range b.people[side.Other()] {
		if strings.ToLower(strings.TrimSpace(other.Email)) != email {
			continue
		}
		found++
		if other.Active {
			active++
		}
	}
	switch {
	case active > 1:
		return fmt.Sprintf("is one of %d active users with that e-mail address in %s", active, side.Other().Title())
	case found > 0:
		return "is not active in " + side.Other().Title()
	}
	return "has no counterpart in " + side.Other().Title() + " with the same e-mail address"
}

// named finds an active owner by user name, else by e-mail address where one
// has it only.
func (b *ownerBook) named(side crm.Side, name string) (string, bool) {
	byEmail := ""
	for id, o := range b.people[side] {
		switch {
		case !o.Active:
		case o.Username != "" && strings.EqualFold(o.Username, name):
			return id, true
		case strings.EqualFold(strings.TrimSpace(o.Email), name) && byEmail == "":
			byEmail = id
		case strings.EqualFold(strings.TrimSpace(o.Email), name):
			byEmail = "several"
		}
	}
	return byEmail, byEmail != "" && byEmail != "several"
}
