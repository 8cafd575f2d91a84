package store

// Wake is what made a record due for a decision.
type Wake uint8

// The wakes. The numbers stand in rows and are never used again.
const (
	// WakeUnknown: an older Lockstep noted it.
	WakeUnknown Wake = iota
	// WakePoll: a read of changes saw the record changed.
	WakePoll
	// WakeComplete: a complete read found it other than it was seen last.
	WakeComplete
	// WakeSweep: a sweep found what moves no stamp: an association, a formula.
	WakeSweep
	// WakeAwaited: a record that it refers to was linked.
	WakeAwaited
	// WakeRetry: it failed, and its next try had come.
	WakeRetry
	// WakeHint: a webhook, the journal or a change event named it.
	WakeHint
	// WakeByHand: a person asked for it.
	WakeByHand
	// WakeKept: it waits for a person; each command looks again.
	WakeKept
	// WakeNeighbour: another record with the same match key changed.
	WakeNeighbour
	// WakeFollowed: a merge or a conversion led to it.
	WakeFollowed
	// WakeRecovered: the answer to its create was lost, and its fate was found.
	WakeRecovered
	// WakeChanged: it changed between its decision and its write.
	WakeChanged
)

var wakeNames = map[Wake]string{WakePoll: "poll", WakeComplete: "complete read", WakeSweep: "sweep", WakeAwaited: "awaited record",
	WakeRetry: "retry", WakeHint: "hint", WakeByHand: "by hand", WakeKept: "waiting", WakeNeighbour: "neighbour", WakeFollowed: "merge or conversion",
	WakeRecovered: "lost answer", WakeChanged: "changed meanwhile"}

// String names it for people and in --json: "poll"; "unknown" for what no
// number stands for.
func (w Wake) String() string {
	if name, ok := wakeNames[w]; ok {
		return name
	}
	return "unknown"
}
