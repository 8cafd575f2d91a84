package hubspot

// User is a person who signs in. Users belong to every account of the server.
type User struct {
	ID         int64
	Email      string
	FirstName  string
	LastName   string
	SuperAdmin bool
}

// Name is the person's whole name.
func (u User) Name() string { return u.FirstName + " " + u.LastName }

// Role says what the person may do, as HubSpot names it.
func (u User) Role() string {
	if u.SuperAdmin {
		return "super admin"
	}
	return "ordinary user"
}

// peopleWhoSignIn are the two whose work the sandbox shows: one who may make
// credentials and one who may not. They own no records.
func peopleWhoSignIn() []User {
	return []User{
		{ID: 70_000_001, Email: "sam.admin@brightwater.example", FirstName: "Sam", LastName: "Admin", SuperAdmin: true},
		{ID: 70_000_002, Email: "uma.user@brightwater.example", FirstName: "Uma", LastName: "User"},
	}
}

// userEmail finds who has a user id. The caller holds the account's lock.
func (s *Server) userEmail(id int64) string {
	for _, u := range s.directory.users {
		if u.ID == id {
			return u.Email
		}
	}
	for _, o := range s.owners {
		if o.UserID == id {
			return o.Email
		}
	}
	return ""
}
