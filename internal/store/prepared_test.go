package store

import (
	"database/sql"
	"database/sql/driver"
	"testing"
)

// kept tells which statements the one connection of a database keeps.
func kept(t *testing.T, db *sql.DB) map[string]driver.Stmt {
	t.Helper()
	c, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var list map[string]driver.Stmt
	if err := c.Raw(func(c any) error { list = c.(*preparedConn).idle; return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func scratchDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := openDatabase(dsn(t.TempDir()+"/x.db", Options{}, readerCacheKilobytes))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec("CREATE TABLE n (v INTEGER PRIMARY KEY); CREATE TABLE other (v)"); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestAStatementIsCompiledOnceForAConnection(t *testing.T) {
	db := scratchDB(t)
	for i := range 3 {
		if _, err := db.Exec("INSERT INTO n (v) VALUES (?)", i); err != nil {
			t.Fatal(err)
		}
	}
	first := kept(t, db)["INSERT INTO n (v) VALUES (?)"]
	if _, err := db.Exec("INSERT INTO n (v) VALUES (?)", 3); err != nil {
		t.Fatal(err)
	}
	if again := kept(t, db)["INSERT INTO n (v) VALUES (?)"]; first == nil || again != first {
		t.Errorf("kept %v, then %v", first, again)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM n").Scan(&n); err != nil || n != 4 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestAStatementMayBeAskedForWhileItsRowsAreRead(t *testing.T) {
	db := scratchDB(t)
	if _, err := db.Exec("INSERT INTO n (v) VALUES (1), (2)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	read := func() (list []int) {
		rows, err := tx.Query("SELECT v FROM n ORDER BY v")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var v int
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			if list = append(list, v); len(list) == 1 {
				var inner []int
				more, err := tx.Query("SELECT v FROM n ORDER BY v")
				if err != nil {
					t.Fatal(err)
				}
				for more.Next() {
					var v int
					if err := more.Scan(&v); err != nil {
						t.Fatal(err)
					}
					inner = append(inner, v)
				}
				more.Close()
				if len(inner) != 2 {
					t.Errorf("the inner reading found %v", inner)
				}
			}
		}
		return list
	}
	if list := read(); len(list) != 2 {
		t.Errorf("the outer reading found %v", list)
	}
	if list := read(); len(list) != 2 {
		t.Errorf("then %v", list)
	}
}

func TestWhatMayNotBeKeptIsNot(t *testing.T) {
	db := scratchDB(t)
	if _, err := db.Exec("INSERT INTO n (v) VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	// It fails; the next one must not begin where it stopped.
	if _, err := db.Exec("INSERT INTO n (v) VALUES (?)", 1); err == nil {
		t.Fatal("one number was taken twice")
	}
	for _, query := range []string{"PRAGMA synchronous = FULL", "UPDATE n SET v = 5; DELETE FROM other"} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	for query := range kept(t, db) {
		if query != "INSERT INTO n (v) VALUES (1)" {
			t.Errorf("kept %q", query)
		}
	}
	// A pragma works each time, which it would not if its compiled form were run again.
	for _, want := range []int{2, 1, 2} {
		var got int
		if _, err := db.Exec("PRAGMA synchronous = " + map[int]string{1: "NORMAL", 2: "FULL"}[want]); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow("PRAGMA synchronous").Scan(&got); err != nil || got != want {
			t.Errorf("synchronous is %d, %v; want %d", got, err, want)
		}
	}
}

func TestAKeptStatementFollowsChangedTables(t *testing.T) {
	db := scratchDB(t)
	count := func() (columns int) {
		rows, err := db.Query("SELECT * FROM other")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	if n := count(); n != 1 {
		t.Fatalf("%d columns", n)
	}
	if _, err := db.Exec("ALTER TABLE other ADD COLUMN w"); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d columns after a migration", n)
	}
}
