package hubspot

import "time"

// The days on which HubSpot changed how credentials are made.
var (
	// https://developers.hubspot.com/changelog/upcoming-api-key-sunset
	apiKeysEnd = day(2022, time.November, 30)
	// https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses
	oauthFieldsBegin = day(2026, time.January, 1)
	// https://developers.hubspot.com/changelog/service-keys
	serviceKeysBegin = day(2026, time.February, 10)
	// https://developers.hubspot.com/changelog/legacy-private-app-creation-sunset:
	// for accounts made before 28 September 2026, as this one is.
	privateAppsEnd = day(2026, time.October, 26)
	// https://developers.hubspot.com/changelog/v1-oauth-api-deprecation
	oauthV1End = day(2027, time.February, 16)
)

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// today is the day whose HubSpot the server plays: the clock's, or the first of
// July of Config.Year.
func (s *Server) today() time.Time {
	if s.config.Year != 0 {
		return day(s.config.Year, time.July, 1)
	}
	return s.clock.Now()
}

// APIKeysWork tells whether the server plays a time in which ?hapikey= worked.
func (s *Server) APIKeysWork() bool         { return s.today().Before(apiKeysEnd) }
func (s *Server) serviceKeysExist() bool    { return !s.today().Before(serviceKeysBegin) }
func (s *Server) privateAppsCanStart() bool { return s.today().Before(privateAppsEnd) }
