// Package story tells one company's business in two CRMs: its owners, the
// companies it sells to, the people there and the deals with them, and how far
// HubSpot and Salesforce agree about each of them.
//
// The data is clean enough to be believed and dirty the way real data is: the
// same person with another case of the e-mail, two Salesforce contacts with one
// address, cities longer than the field that shall take them. [Mess] names every
// such kind. The first sixty people, twelve companies and fifteen deals are the
// cast, in which every kind happens at least twice at every size; after them
// chance decides, at shares that a real account shows.
//
// A record is a pure function of the seed and its number, so a story of a
// million people takes no memory: ask for [Story.Person] and forget it. The same
// size and seed tell the same story on every machine and with every Go version.
// All addresses are under the reserved name .example (RFC 2606) and telephone
// numbers are from ranges kept for fiction where the country has one.
package story
