package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Scratch is a throw-away database beside the store, for work that needs all
// records at once without holding them in memory. Close removes it.
type Scratch struct {
	path  string
	db    *sql.DB
	mu    sync.Mutex
	codes map[string]int64
	names []string
}

// ScratchRow is one record in a Scratch.
type ScratchRow struct {
	Ref    crm.Ref
	Record []byte
}

// scratchAge is how old a scratch file is that nobody uses any more: its process
// was killed.
const scratchAge = 24 * time.Hour

// NewScratch makes an empty scratch file (mode 0600), and removes those that
// killed processes left.
func (s *Store) NewScratch(ctx context.Context) (*Scratch, error) {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(s.path), "scratch-*.db*"))
	if err != nil {
		left = nil // the folder's name is a pattern of its own
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > scratchAge {
			_ = os.Remove(path) // the next one tries again
		}
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), "scratch-*.db")
	if err != nil {
		return nil, storageFault("make a scratch file beside "+s.path, err)
	}
	path := f.Name()
	if err := f.Close(); err != nil {
		return nil, storageFault("make "+path, err)
	}
	db, err := openDatabase(dsn(path, Options{}, readerCacheKilobytes) + "&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	if err != nil {
		return nil, errors.Join(storageFault("open "+path, err), os.Remove(path))
	}
	db.SetMaxOpenConns(1)
	sc := &Scratch{path: path, db: db, codes: map[string]int64{}}
	if _, err := db.ExecContext(ctx, "CREATE TABLE rows (side INTEGER NOT NULL, id NOT NULL, object INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (side, id)) WITHOUT ROWID"); err != nil {
		return nil, errors.Join(storageFault("open "+path, err), sc.Close())
	}
	return sc, nil
}

// Close removes the scratch file.
func (s *Scratch) Close() error {
	err := s.db.Close()
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if gone := os.Remove(s.path + suffix); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// Put adds rows, each over an earlier one of the same record.
func (s *Scratch) Put(ctx context.Context, rows []ScratchRow) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return storageFault("write "+s.path, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it says so
	err = insert(&Tx{ctx: ctx, tx: tx}, "INSERT INTO rows (side, id, object, record) VALUES", 4,
		"ON CONFLICT (side, id) DO UPDATE SET object = excluded.object, record = excluded.record", rows, func(args []any, r ScratchRow) []any {
			code, ok := s.codes[r.Ref.Object]
			if !ok {
				code = int64(len(s.names))
				s.codes[r.Ref.Object], s.names = code, append(s.names, r.Ref.Object)
			}
			return append(args, sideCode(r.Ref.Side), idValue(r.Ref.Side, r.Ref.ID), code, r.Record)
		})
	if err == nil {
		err = tx.Commit()
	}
	return storageFault("write "+s.path, err)
}

func (s *Scratch) query(ctx context.Context, query string, args ...any) ([]ScratchRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, storageFault("read "+s.path, err)
	}
	defer rows.Close()
	var out []ScratchRow
	for rows.Next() {
		var r ScratchRow
		var side, object int64
		var id idScan
		if err := rows.Scan(&side, &id, &object, &r.Record); err != nil {
			return nil, storageFault("read "+s.path, err)
		}
		r.Ref = crm.Ref{Side: sideOf(side), Object: s.names[object], ID: string(id)}
		out = append(out, r)
	}
	return out, storageFault("read "+s.path, rows.Err())
}

// Rows finds rows by id.
func (s *Scratch) Rows(ctx context.Context, side crm.Side, ids []string) (map[string]ScratchRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.query(ctx, "SELECT r.side, r.id, r.object, r.record FROM json_each(?) j CROSS JOIN rows r ON r.side = ? AND r.id = j.value",
		idList(side, ids), sideCode(side))
	found := make(map[string]ScratchRow, len(list))
	for _, r := range list {
		found[r.Ref.ID] = r
	}
	return found, err
}

// Page reads at most limit rows of a side in the order of ids, those after the
// given one; start with "".
func (s *Scratch) Page(ctx context.Context, side crm.Side, after string, limit int) ([]ScratchRow, error) {
	if after == "" {
		return s.query(ctx, "SELECT side, id, object, record FROM rows WHERE side = ? ORDER BY id LIMIT ?", sideCode(side), limit)
	}
	return s.query(ctx, "SELECT side, id, object, record FROM rows WHERE side = ? AND id > ? ORDER BY id LIMIT ?",
		sideCode(side), idValue(side, after), limit)
}

// Count counts rows of one object.
func (s *Scratch) Count(ctx context.Context, side crm.Side, object string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	code, ok := s.codes[object]
	if !ok {
		return 0, nil
	}
	err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM rows WHERE side = ? AND object = ?", sideCode(side), code).Scan(&n)
	return n, storageFault("read "+s.path, err)
}
