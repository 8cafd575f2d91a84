package engine

import (
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
		if id := byEmail[strings.ToLower(strings.TrimSpace(o.Email))]; id != "" && o.Email != "" {
			b.other[side][o.ID] = id
		}
	}
}
