package apicall

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Ledger counts the calls that were made to one account, by all processes that
// name the same folder, and keeps what the vendor last told of its limits. The
// folder holds one file for each account and UTC day, to which every process
// appends; nobody waits for anybody:
//
//	hubspot-1234567-2026-11-23.calls
//	{"at":1795457629,"by":4711,"calls":8,"limit":1000000,"left":997412,"zone":"US/Eastern"}
//
// Calls are noted before they are made, one by one at first and in growing
// blocks later, so that a process that is killed has noted a few calls too many
// and never too few. Where the folder cannot be written the count goes on in
// memory, and the log says so. Safe for concurrent use.
type Ledger struct {
	dir     string
	account string
	log     *slog.Logger

	mu      sync.Mutex
	tally   []tallied // by time
	told    Told
	read    map[string]int64 // bytes of each file that were read
	unused  int              // noted and not yet called
	taken   int              // calls of this process
	unsaved bool             // what the vendor told is newer here than in the file
	broken  bool
	cleared string // the day on which old files were last removed
	// elsewhere is when another process was last seen to call.
	elsewhere time.Time
}

// Told is what a vendor last said of its limits; -1 where it said nothing.
type Told struct {
	At     time.Time `json:"at,omitzero"`
	Limit  int       `json:"limit"`  // calls a day
	Left   int       `json:"left"`   // of those, for everybody who calls with the account
	Window int       `json:"window"` // calls in ten seconds
	Zone   string    `json:"zone,omitempty"`
}

// isOf tells whether it was told on the day that began then. What was told in the
// future was told before the clock was put back, and nobody knows of which day it is.
func (t Told) isOf(begins, now time.Time) bool {
	at, now := t.At.Round(0), now.Round(0) // by the clock on the wall, which may be put back
	return !at.Before(begins) && !at.After(now.Add(time.Minute))
}

// tallied is the calls of one minute.
type tallied struct {
	minute int64 // Unix time of its start
	calls  int
}

// line is one line of a ledger's file. Calls are negative when a block was not
// used up.
type line struct {
	At     int64  `json:"at"`
	By     int    `json:"by"` // process id
	Calls  int    `json:"calls,omitempty"`
	Limit  *int   `json:"limit,omitempty"`
	Left   *int   `json:"left,omitempty"`
	Window *int   `json:"window,omitempty"`
	Zone   string `json:"zone,omitempty"`
}

const (
	// ledgerDays is how long a day's file is kept: a vendor's day may begin
	// fourteen hours before the UTC day or be the last 24 hours.
	ledgerDays = 3
	// ledgerFileBytes bounds what is read of one file: more lines than a day of
	// calls can make.
	ledgerFileBytes = 256 << 20
)

// NewLedger returns the ledger of an account ("hubspot-1234567") in dir. An
// empty dir or account counts in memory only. Nothing is read or made yet.
func NewLedger(dir, account string, log *slog.Logger) *Ledger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, account)
	return &Ledger{
		dir: dir, account: clean, log: log,
		told: Told{Limit: -1, Left: -1, Window: -1}, read: map[string]int64{},
		broken: dir == "" || account == "",
	}
}

// Spent is how many calls were made since then, by all processes.
func (l *Ledger) Spent(since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refresh(time.Now())
	return l.spent(since)
}

// Told is what the vendor last said, to any of the processes.
func (l *Ledger) Told() Told {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refresh(time.Now())
	return l.told
}

// Settle gives back what was noted and not called, and writes down what the
// vendor last told. It may be called at any time, and calls may follow.
func (l *Ledger) Settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unused > 0 || l.unsaved {
		unused := l.unused
		l.unused = 0
		l.append(time.Now(), -unused)
	}
}

// known is Told without a look at the files, which the first take and every new
// block make.
func (l *Ledger) known(now time.Time) Told {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken == 0 {
		l.refresh(now)
	}
	return l.told
}

// spentKnown is Spent without a look at the files.
func (l *Ledger) spentKnown(since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spent(since)
}

// Adopt notes the calls and takes over what was told in another ledger, which
// counted in memory while the account was not known yet.
func (l *Ledger) Adopt(other *Ledger) {
	other.mu.Lock()
	calls, told := other.spent(time.Time{}), other.told
	other.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if told.Limit >= 0 || told.Window >= 0 {
		zone := l.told.Zone
		l.told, l.unsaved = told, true
		if told.Zone == "" {
			l.told.Zone = zone
		}
	}
	l.append(time.Now(), calls)
}

// take notes one call, unless ours calls were made since then already; ours is
// -1 when there is no limit.
func (l *Ledger) take(now, since time.Time, ours int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken++
	if l.unused > 0 {
		l.unused--
		return true
	}
	for _, n := range []int{l.block(since, ours), 1} {
		l.append(now, n)
		if ours < 0 || l.spent(since) <= ours {
			l.unused = n - 1
			return true
		}
		l.append(now, -n)
	}
	return false
}

// block is how many calls are noted at once: one while few were made, so that
// short commands count exactly, and one near the end of our share, so that
// several processes together never make one call too many.
func (l *Ledger) block(since time.Time, ours int) int {
	const (
		exactly = 64
		small   = 8
		many    = 1024
		large   = 32
		edge    = 64 // blocks that must fit at least
	)
	n := 1
	switch {
	case l.taken > many:
		n = large
	case l.taken > exactly:
		n = small
	}
	if ours >= 0 {
		n = min(n, max(1, (ours-l.spent(since))/edge))
	}
	return n
}

// back undoes take: the call was not made.
func (l *Ledger) back() {
	l.mu.Lock()
	l.unused++
	l.mu.Unlock()
}

// dropBlock forgets what is left of a block, which counted for another day.
func (l *Ledger) dropBlock() {
	l.mu.Lock()
	l.unused = 0
	l.mu.Unlock()
}

// hear keeps what an answer told.
func (l *Ledger) hear(now time.Time, rates Rates) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.told
	if rates.DayLimit > 0 {
		l.told.Limit = rates.DayLimit
	}
	if rates.DayLeft >= 0 {
		l.told.Left = rates.DayLeft
	}
	if rates.Limit > 0 {
		l.told.Window = rates.Limit
	}
	if rates.DayLimit > 0 || rates.DayLeft >= 0 || rates.Limit > 0 {
		l.told.At, l.unsaved = now, true
	}
	if l.told.Limit != before.Limit || before.Left < 0 && l.told.Left >= 0 {
		l.append(now, 0)
	}
}

func (l *Ledger) hearZone(now time.Time, zone string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told.Zone == zone {
		return
	}
	l.told.Zone, l.unsaved = zone, true
	l.append(now, 0)
}

func (l *Ledger) spent(since time.Time) int {
	// Calls that are more than a day ahead were noted before the clock was put back:
	// they would count as today's for as long as it was.
	const day = 24 * 60 * 60
	spent, latest := 0, time.Now().Unix()+day
	for i := len(l.tally) - 1; i >= 0 && l.tally[i].minute+59 >= since.Unix(); i-- {
		if l.tally[i].minute <= latest {
			spent += l.tally[i].calls
		}
	}
	return max(0, spent-l.unused)
}

// frees is when enough of the calls made since then are a day old for one more
// call to fit.
func (l *Ledger) frees(since time.Time, ours int) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := l.spent(since) - ours + 1
	for _, t := range l.tally {
		if t.minute+59 < since.Unix() {
			continue
		}
		if over -= t.calls; over <= 0 {
			return time.Unix(t.minute+60, 0).Add(24 * time.Hour)
		}
	}
	return since.Add(48 * time.Hour)
}

func (l *Ledger) count(at int64, calls int) {
	if calls == 0 {
		return
	}
	minute := at - at%60
	i := len(l.tally)
	for i > 0 && l.tally[i-1].minute > minute {
		i--
	}
	if i > 0 && l.tally[i-1].minute == minute {
		l.tally[i-1].calls += calls
		return
	}
	l.tally = append(l.tally, tallied{})
	copy(l.tally[i+1:], l.tally[i:])
	l.tally[i] = tallied{minute, calls}
}

// append writes one line and reads what everybody wrote, this line included.
func (l *Ledger) append(now time.Time, calls int) {
	if l.broken {
		l.count(now.Unix(), calls)
		return
	}
	entry := line{At: now.Unix(), By: os.Getpid(), Calls: calls, Zone: l.told.Zone}
	told := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	entry.Limit, entry.Left, entry.Window = told(l.told.Limit), told(l.told.Left), told(l.told.Window)
	if calls == 0 && entry.Limit == nil && entry.Window == nil && entry.Zone == "" {
		return
	}
	text, err := json.Marshal(entry)
	if err == nil {
		err = l.write(now, append(text, '\n'))
	}
	if err != nil {
		l.broken = true
		l.log.Warn("calls are counted in memory only", "account", l.account, "error", err)
		l.count(now.Unix(), calls)
		return
	}
	l.unsaved = false
	l.refresh(now)
}

func (l *Ledger) write(now time.Time, text []byte) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(l.file(now), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	l.clear(now)
	return err
}

func (l *Ledger) file(at time.Time) string {
	return filepath.Join(l.dir, l.account+"-"+at.UTC().Format(time.DateOnly)+".calls")
}

// refresh reads the lines that were added to the files since the last time.
func (l *Ledger) refresh(now time.Time) {
	if l.broken {
		return
	}
	for day := -ledgerDays + 1; day <= 0; day++ {
		name := l.file(now.AddDate(0, 0, day))
		l.readOn(name)
	}
	const day = 24 * 60 * 60
	old := 0
	for old < len(l.tally) && l.tally[old].minute < now.Unix()-ledgerDays*day {
		old++
	}
	l.tally = l.tally[old:]
}

func (l *Ledger) readOn(name string) {
	f, err := os.Open(name)
	if err != nil {
		return // nobody called on that day
	}
	defer f.Close()
	info, err := f.Stat()
	from := l.read[name]
	if err != nil || info.Size() <= from || info.Size() > ledgerFileBytes {
		return
	}
	text := make([]byte, info.Size()-from)
	n, _ := f.ReadAt(text, from)
	text = text[:bytes.LastIndexByte(text[:n], '\n')+1] // a line that is being written is read next time
	l.read[name] = from + int64(len(text))
	for row := range bytes.Lines(text) {
		var entry line
		if json.Unmarshal(row, &entry) != nil {
			continue // cut off by a full disk
		}
		l.count(entry.At, entry.Calls)
		l.learn(entry)
		if at := time.Unix(entry.At, 0); entry.By != os.Getpid() && entry.Calls > 0 && at.After(l.elsewhere) {
			l.elsewhere = at
		}
	}
}

// calledElsewhere tells whether another process of this place called lately.
func (l *Ledger) calledElsewhere(since time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.elsewhere.After(since)
}

// learn takes over what another process was told later than this one.
func (l *Ledger) learn(entry line) {
	if at := time.Unix(entry.At, 0); !at.Before(l.told.At.Truncate(time.Second)) && !l.unsaved {
		for _, n := range []struct {
			told *int
			ours *int
		}{{entry.Limit, &l.told.Limit}, {entry.Left, &l.told.Left}, {entry.Window, &l.told.Window}} {
			if n.told != nil {
				*n.ours, l.told.At = *n.told, at
			}
		}
	}
	if entry.Zone != "" {
		l.told.Zone = entry.Zone
	}
}

// clear removes files of days that count no more.
func (l *Ledger) clear(now time.Time) {
	today := now.UTC().Format(time.DateOnly)
	if l.cleared == today {
		return
	}
	l.cleared = today
	for day := ledgerDays; day < ledgerDays+30; day++ {
		_ = os.Remove(l.file(now.AddDate(0, 0, -day)))
	}
}
