package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// rowsPerStatement is how many rows one INSERT carries; beyond about fifty the
// time per row does not fall any more.
const rowsPerStatement = 64

func sideCode(s crm.Side) int64 {
	if s == crm.HubSpot {
		return 1
	}
	return 2
}

func sideOf(code int64) crm.Side {
	if code == 1 {
		return crm.HubSpot
	}
	return crm.Salesforce
}

// idValue is an id as a row holds it: HubSpot's numbers as integers, so that
// rows are small and in order, everything else as text.
func idValue(side crm.Side, id string) any {
	if side == crm.HubSpot {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && strconv.FormatInt(n, 10) == id {
			return n
		}
	}
	return id
}

// idScan reads an id column back.
type idScan string

// Scan satisfies sql.Scanner; NULL reads as the empty id.
func (i *idScan) Scan(v any) error {
	switch v := v.(type) {
	case int64:
		*i = idScan(strconv.FormatInt(v, 10))
	case string:
		*i = idScan(v)
	case []byte:
		*i = idScan(v)
	case nil:
		*i = ""
	default:
		return fmt.Errorf("an id of type %T", v)
	}
	return nil
}

// idList is a JSON array for json_each.
func idList(side crm.Side, ids []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		switch v := idValue(side, id).(type) {
		case int64:
			b.WriteString(id)
		case string:
			b.WriteString(strconv.Quote(v))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// insert sends rows in statements of many rows, of a power of two each, so that
// there are few statements to compile: head is "INSERT INTO t (…) VALUES", tail
// an ON CONFLICT clause or "". Each row appends its columns.
func insert[R any](t *Tx, head string, columns int, tail string, rows []R, args func([]any, R) []any) error {
	one := "(?" + strings.Repeat(",?", columns-1) + ")"
	buffer := make([]any, 0, min(len(rows), rowsPerStatement)*columns)
	for len(rows) > 0 {
		n := 1 << (bits.Len(uint(min(len(rows), rowsPerStatement))) - 1)
		buffer = buffer[:0]
		for _, r := range rows[:n] {
			buffer = args(buffer, r)
		}
		rows = rows[n:]
		if err := t.exec(head+" "+one+strings.Repeat(","+one, n-1)+" "+tail, buffer...); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, query, args...)
	return err
}

// query reads rows and hands each to scan.
func (s *Store) query(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	if s.explain != nil {
		s.explain(query, args)
	}
	if err := s.whole(); err != nil {
		return err
	}
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return s.readFault(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return s.readFault(ctx, err)
		}
	}
	return s.readFault(ctx, rows.Err())
}

func (s *Store) readFault(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.fault("read "+s.path, err)
}

func (s *Store) loadNames(ctx context.Context) error {
	return s.query(ctx, func(r *sql.Rows) error {
		var code, sum int64
		var name string
		if err := r.Scan(&code, &name, &sum); err != nil {
			return err
		}
		if err := s.holds(sum, "the name "+strconv.Quote(name), name); err != nil {
			return err
		}
		s.mu.Lock()
		s.codes[name], s.names[code] = code, name
		s.mu.Unlock()
		return nil
	}, "SELECT code, name, sum FROM names")
}

// Prepare makes names of mappings and vendor objects known, so that rows may
// carry them. It may be called again with more.
func (s *Store) Prepare(ctx context.Context, names ...string) error {
	var fresh []string
	for _, n := range names {
		if _, ok := s.code(n); !ok {
			fresh = append(fresh, n)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	s.writing.Lock()
	err := s.transact(context.WithoutCancel(ctx), func(t *Tx) error {
		for _, n := range fresh {
			if err := t.exec("INSERT INTO names (name, sum) VALUES (?, ?) ON CONFLICT DO NOTHING", n, rowSum(n)); err != nil {
				return err
			}
		}
		return nil
	}, false)
	s.writing.Unlock()
	if err != nil {
		return err
	}
	return s.loadNames(ctx)
}

func (s *Store) code(name string) (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.codes[name]
	return c, ok
}

// codeOf returns the code of a name, or -1, which no row has.
func (s *Store) codeOf(name string) int64 {
	if c, ok := s.code(name); ok {
		return c
	}
	return -1
}

func (s *Store) name(code int64) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.names[code]
}

// mustCode is for writing: a name that was not prepared is our own mistake.
func (t *Tx) mustCode(name string) (int64, error) {
	if c, ok := t.s.code(name); ok {
		return c, nil
	}
	return 0, fault.New(fault.Internal, "the name %q was not prepared in %s", name, t.s.path).
		WithMend("this is a mistake in Lockstep: please report it")
}
