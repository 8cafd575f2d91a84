// Package store remembers what Lockstep must not forget: which records are
// linked, what both sides held when they last agreed, how far each side was
// read, what was decided, what was about to be sent, and what was written.
//
// The idea: one SQLite file beside lockstep.yaml, compact rows, and every
// state change in a transaction that first checks that this process still
// holds the lease of the pair. Values of records stand here only while work is
// in progress (changes, plan, intents) and in the journal of writes; links
// carry 64-bit hashes. Bodies of rows are bytes that package engine writes and
// reads; the store does not look into them.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

const (
	// readers is how many connections read beside the one that writes.
	readers = 4
	// busyWait is how long a statement waits for another program's write.
	busyWait = 10 * time.Second
	// heldWait is how long it waits when the one before waited in vain.
	heldWait = 500 * time.Millisecond
	// cacheKilobytes of pages per connection: enough for the inner pages of
	// all indexes at ten million links.
	writerCacheKilobytes = 32 << 10
	readerCacheKilobytes = 4 << 10
)

// Stage names a moment of a write transaction, for Options.Commit.
type Stage string

// The stages.
const (
	BeforeCommit Stage = "before commit"
	AfterCommit  Stage = "after commit"
)

// Options of Open. The zero Options are right for use.
type Options struct {
	// MaxBytes limits the size of the database file; 0 means the disk decides.
	// A write beyond it fails as on a full disk.
	MaxBytes int64
	// Wait is how long a statement waits while another program holds the file,
	// before it fails with CodeBusy; 0 means ten seconds.
	Wait time.Duration
	// Commit is called around every commit of Write; an error before the commit rolls it
	// back, one after it is returned although the data is safe. Crash tests
	// die here. May be nil.
	Commit func(Stage) error
	// Now is the clock of the machine; nil means time.Now. Tests put it back.
	Now func() time.Time
}

// Store is one open database. Its methods are safe for concurrent use; writes
// happen one at a time.
type Store struct {
	path   string
	commit func(Stage) error
	write  *sql.DB
	read   *sql.DB

	writing sync.Mutex // one write transaction at a time, in order of arrival
	held    bool       // another program held the file when the last one began
	wait    time.Duration
	lease   leaseState
	now     func() time.Time
	// damage is set once the file was found to be damaged.
	damage atomic.Pointer[fault.Error]

	// explain is shown every read, by the test that looks at their plans.
	explain func(query string, args []any)

	mu    sync.RWMutex
	codes map[string]int64
	names map[int64]string
}

// Open opens or makes the database at path (mode 0600, its folder 0700) and
// brings its tables up to date. A file made by a newer Lockstep, a file that
// is no database, a damaged or unwritable one is refused with a fault that
// says what to do; it is left as it is.
func Open(ctx context.Context, path string, options Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, storageFault("make the folder of "+path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, storageFault("open "+path, err)
	}
	if err := f.Close(); err != nil {
		return nil, storageFault("open "+path, err)
	}
	s := &Store{path: path, commit: options.Commit, now: options.Now, codes: map[string]int64{}, names: map[int64]string{}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.wait = options.Wait; s.wait == 0 {
		s.wait = busyWait
	}
	if s.write, err = openDatabase(dsn(path, options, writerCacheKilobytes)); err != nil {
		return nil, storageFault("open "+path, err)
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = openDatabase(dsn(path, options, readerCacheKilobytes)); err != nil {
		return nil, s.abandon(storageFault("open "+path, err))
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if err := s.migrate(ctx); err != nil {
		return nil, s.abandon(err)
	}
	if err := s.loadNames(ctx); err != nil {
		return nil, s.abandon(err)
	}
	return s, nil
}

// abandon closes what was opened and returns why; that closing fails, too, is
// no news then.
func (s *Store) abandon(why error) error {
	_ = s.Close()
	return why
}

func dsn(path string, o Options, cacheKilobytes int) string {
	wait := o.Wait
	if wait == 0 {
		wait = busyWait
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + strconv.FormatInt(wait.Milliseconds(), 10) + ")",
		"journal_mode(WAL)",
		"synchronous(NORMAL)",
		"cache_size(-" + strconv.Itoa(cacheKilobytes) + ")",
		"temp_store(MEMORY)",
	}}
	if o.MaxBytes > 0 {
		q.Add("_pragma", "max_page_count("+strconv.FormatInt(max(1, o.MaxBytes/4096), 10)+")")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	known, err := versions(files)
	if err != nil {
		return err
	}
	newest := slices.Max(known)
	applied, err := s.applied(ctx)
	if err != nil {
		return err
	}
	if at := slices.Max(append(applied, 0)); at > newest {
		return fault.New(fault.Internal, "%s was written by a newer Lockstep (tables %d, this program knows %d)", s.path, at, newest).
			WithMend("install the newer Lockstep again; nothing in the file was touched")
	}
	if !slices.ContainsFunc(known, func(v int64) bool { return !slices.Contains(applied, v) }) {
		return nil
	}
	// Branches that were made side by side may have been joined in another order
	// than that of their numbers.
	p, err := goose.NewProvider(goose.DialectSQLite3, s.write, files, goose.WithAllowOutofOrder(true))
	if err != nil {
		return s.fault("read the tables' version of "+s.path, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return s.fault("bring the tables of "+s.path+" up to date", err)
	}
	return nil
}

// versions lists the numbers of the migrations that this program knows.
func versions(files fs.FS) ([]int64, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var list []int64
	for _, e := range entries {
		v, err := goose.NumericComponent(e.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// applied lists the numbers of the migrations that the file has had; none for
// a file that is new. It reads goose's table, because goose itself takes longer
// to say that there is nothing to do than a quiet cycle reads and writes.
func (s *Store) applied(ctx context.Context) ([]int64, error) {
	var list []int64
	add := func(r *sql.Rows) error {
		var v int64
		if err := r.Scan(&v); err != nil {
			return err
		}
		list = append(list, v)
		return nil
	}
	if err := s.query(ctx, add, "SELECT 1 FROM sqlite_schema WHERE name = ?", goose.DefaultTablename); err != nil || len(list) == 0 {
		return nil, err
	}
	list = nil
	// Lockstep never goes back by a migration, so every row is one that was applied.
	err := s.query(ctx, add, "SELECT version_id FROM "+goose.DefaultTablename+" WHERE is_applied = 1")
	return list, err
}

// Path is where the database stands.
func (s *Store) Path() string { return s.path }

// Close gives the lease back and closes the database.
func (s *Store) Close() error {
	s.Release()
	var first, second error
	if s.read != nil {
		first = s.read.Close()
	}
	if s.write != nil {
		second = s.write.Close()
	}
	return errors.Join(first, second)
}

// Tx is one write transaction.
type Tx struct {
	ctx context.Context
	tx  *sql.Tx
	s   *Store
}

// Write runs fn in one transaction, which commits when fn returns nil. It
// needs the lease (see Acquire): when another process took it over, nothing is
// written and a fault.Conflict comes back. A cancelled ctx does not interrupt
// a transaction that has begun: what is known is always saved.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.transact(context.WithoutCancel(ctx), fn, true)
}

// WriteDurable is Write, and returns when the data would survive the loss of
// power: for intents, which must be known before a create is sent.
func (s *Store) WriteDurable(ctx context.Context, fn func(*Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx = context.WithoutCancel(ctx)
	if err := s.whole(); err != nil {
		return err
	}
	if _, err := s.write.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
		return s.fault("write "+s.path, err)
	}
	err := s.transact(ctx, fn, true)
	if _, back := s.write.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); back != nil && err == nil {
		err = s.fault("write "+s.path, back)
	}
	return err
}

// begin begins a transaction. Who waited in vain for another program does not wait
// as long again: a command that ends has several things to save.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	held := isBusy(err)
	if held == s.held || err != nil && !held {
		return tx, err
	}
	s.held = held
	wait := s.wait
	if held {
		wait = min(wait, heldWait)
	}
	statement := "PRAGMA busy_timeout = " + strconv.FormatInt(wait.Milliseconds(), 10)
	if held {
		_, _ = s.write.ExecContext(ctx, statement) // the wait is only longer without it
		return tx, err
	}
	if _, err := tx.ExecContext(ctx, statement); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return tx, nil
}

func (s *Store) transact(ctx context.Context, fn func(*Tx) error, leased bool) error {
	if err := s.whole(); err != nil {
		return err
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return s.fault("write "+s.path, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it says so, and before one the cause is already returned
	t := &Tx{ctx: ctx, tx: tx, s: s}
	if leased {
		if err := t.checkEpoch(); err != nil {
			return err
		}
	}
	if err := fn(t); err != nil {
		return s.fault("write "+s.path, err)
	}
	if s.commit != nil && leased {
		if err := s.commit(BeforeCommit); err != nil {
			return err
		}
	}
	if err := s.whole(); err != nil {
		return err // a read beside it found out meanwhile
	}
	if err := tx.Commit(); err != nil {
		return s.fault("write "+s.path, err)
	}
	if s.commit != nil && leased {
		return s.commit(AfterCommit)
	}
	return nil
}
