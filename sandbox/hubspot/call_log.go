package hubspot

import (
	"sync"
	"time"
)

const (
	// logEntries bounds the log of one app.
	logEntries = 500
	// logDays is how long a call stays in it.
	logDays = 7 * 24 * time.Hour
	// agentBytes is how much of a caller's name is kept.
	agentBytes = 120
)

// callEntry is one call by an app; path has no query, which may hold a key.
type callEntry struct {
	at           time.Time
	status       int
	method, path string
	agent        string
}

// callLog remembers the last calls of an app.
type callLog struct {
	mu    sync.Mutex
	ring  []callEntry
	next  int
	total int
}

func (l *callLog) add(e callEntry) {
	e.agent = e.agent[:min(len(e.agent), agentBytes)]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.ring) < logEntries {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.next] = e
	l.next = (l.next + 1) % logEntries
}

// since lists calls that came after a moment, newest first, and how many calls
// there were in all.
func (l *callLog) since(moment time.Time) (entries []callEntry, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.ring {
		e := l.ring[(l.next+len(l.ring)-1-i)%len(l.ring)]
		if e.at.After(moment) {
			entries = append(entries, e)
		}
	}
	return entries, l.total
}
