package faults

import "time"

// ChangeEvents are the dials of Salesforce's change events. What happens to an
// event follows from the seed and the event's place in the stream, so that every
// subscriber meets the same.
type ChangeEvents struct {
	// DelayMillis is how long after its commit an event reaches subscribers.
	DelayMillis int `json:"delayMillis,omitempty"`
	// Duplicates is the share of events that are delivered twice, Drops of those
	// that are never delivered, Gaps of those that come as GAP events without values.
	Duplicates float64 `json:"duplicates,omitempty"`
	Drops      float64 `json:"drops,omitempty"`
	Gaps       float64 `json:"gaps,omitempty"`
	// LostPositions is the share of subscriptions at a saved position that are
	// refused as if the position had expired.
	LostPositions float64 `json:"lostPositions,omitempty"`
}

// LateCommit draws how long one Salesforce transaction ran before its commit.
func (d *Dials) LateCommit() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.setting.LateCommitSeconds <= 0 {
		return 0
	}
	return time.Duration(d.random.IntN(d.setting.LateCommitSeconds+1)) * time.Second
}

// LongestCommit is how long a transaction may run at most.
func (d *Dials) LongestCommit() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(max(0, d.setting.LateCommitSeconds)) * time.Second
}

// ChangeEvents returns the position of the dials of change events.
func (d *Dials) ChangeEvents() ChangeEvents {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setting.ChangeEvents
}

// Chance is a number from 0 to 1 that follows from the seed, a purpose and a
// place alone, whatever was drawn before.
func (d *Dials) Chance(purpose, place uint64) float64 {
	d.mu.Lock()
	x := d.setting.Seed
	d.mu.Unlock()
	for _, part := range [...]uint64{purpose, place} {
		x ^= part + 0x9e3779b97f4a7c15 + x<<6 + x>>2
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return float64(x>>11) / (1 << 53)
}
