package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// keptStatements is how many compiled statements a connection keeps: more than
// this package has, so that the bound is for mistakes alone.
const keptStatements = 512

// openDatabase opens a database whose connections compile each statement once.
// SQLite takes as long to compile a statement as to run it on a few rows, and
// the store runs the same hundred of them over and over.
func openDatabase(dsn string) (*sql.DB, error) {
	base, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(preparing{base}), nil
}

// preparing hands out connections that keep what they compiled.
type preparing struct{ driver.Connector }

// Connect opens a connection.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := c.(vendorConn)
	if !ok {
		return nil, fmt.Errorf("the database driver's connection is a %T, which lacks a method that we need", c)
	}
	return &preparedConn{vendorConn: whole, idle: map[string]driver.Stmt{}}, nil
}

// vendorConn is everything that the driver's connections can do; database/sql
// looks for each of these methods.
type vendorConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn is a connection with the compiled statements that nobody is
// using. One that is in use (its rows are being read) is not among them, so the
// same text may be asked for again meanwhile: it is compiled a second time.
type preparedConn struct {
	vendorConn
	idle map[string]driver.Stmt
}

// Unwrap gives the driver's own connection, as the driver asks of wrappers.
func (c *preparedConn) Unwrap() driver.Conn { return c.vendorConn }

// keeps tells whether a text is one statement that does its work when it runs.
// Pragmas do theirs while they are compiled; a migration holds several statements.
func keeps(query string) bool {
	query = strings.TrimLeft(query, " \t\n")
	verb, rest, _ := strings.Cut(query, " ")
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "EXPLAIN":
		return !strings.Contains(rest, ";")
	}
	return false
}

func (c *preparedConn) take(ctx context.Context, query string) (driver.Stmt, error) {
	if stmt, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return stmt, nil
	}
	return c.PrepareContext(ctx, unseen.Replace(query))
}

// unseen hides arguments from SQLite's planner. It looks at the value of one that a
// column is compared with, or that limits the rows, and compiles the statement again
// whenever one was bound or cleared, which is every time. A unary plus is no
// operation, and ends its interest. (sqlite3VdbeReprepareOnBind, SQLite 3.54; the flag
// that would say so for a connection, SQLITE_DBCONFIG_ENABLE_QPSG, cannot be set
// through the driver.) The plans that the store's tests want do not need the values.
var unseen = strings.NewReplacer("= ?", "= +?", "LIMIT ?", "LIMIT +?")

// keep takes a statement back. One that failed is not worth keeping: what its
// next run would find is not known.
func (c *preparedConn) keep(query string, stmt driver.Stmt, err error) {
	if _, twice := c.idle[query]; err != nil || twice || len(c.idle) >= keptStatements {
		_ = stmt.Close() // it gives memory back, and there is nothing to do about a failure
		return
	}
	c.idle[query] = stmt
}

// ExecContext runs a statement that returns no rows.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !keeps(query) {
		return c.vendorConn.ExecContext(ctx, query, args)
	}
	stmt, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	c.keep(query, stmt, err)
	return result, err
}

// QueryContext runs a statement that returns rows.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !keeps(query) {
		return c.vendorConn.QueryContext(ctx, query, args)
	}
	stmt, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		c.keep(query, stmt, err)
		return nil, err
	}
	return &preparedRows{Rows: rows, c: c, query: query, stmt: stmt}, nil
}

// Close closes the statements and the connection.
func (c *preparedConn) Close() error {
	for _, stmt := range c.idle {
		_ = stmt.Close() // the connection's own closing tells
	}
	clear(c.idle)
	return c.vendorConn.Close()
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	driver.Rows
	c      *preparedConn
	query  string
	stmt   driver.Stmt
	failed error
}

// Next reads one row.
func (r *preparedRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err != nil && err != io.EOF { //nolint:errorlint // the driver returns it as it is
		r.failed = err
	}
	return err
}

// Close ends the reading.
func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	if r.stmt != nil {
		r.c.keep(r.query, r.stmt, errors.Join(err, r.failed))
		r.stmt = nil
	}
	return err
}
