package store

import (
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Codes of the faults of this package, in fault.Error.Code.
const (
	CodeFull     = "STORAGE_FULL"
	CodeDamaged  = "STORAGE_DAMAGED"
	CodeReadOnly = "STORAGE_READ_ONLY"
	CodeBusy     = "STORAGE_BUSY"
	CodeStorage  = "STORAGE"
)

// IsStorage tells whether err is about the disk or the database file, and not
// about a vendor or the data: exit code fault.ExitStorage.
func IsStorage(err error) bool {
	f, ok := fault.As(err)
	if !ok {
		return false
	}
	switch f.Code {
	case CodeFull, CodeDamaged, CodeReadOnly, CodeBusy, CodeStorage:
		return true
	}
	return false
}

// isBusy tells whether a statement failed because another program holds the file.
func isBusy(err error) bool {
	var se *sqlite.Error
	return errors.As(err, &se) && (se.Code()&0xff == sqlite3.SQLITE_BUSY || se.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

// storageFault turns an error of the driver or of the file system into a
// fault.Internal with the next step. Errors that are faults already pass.
func storageFault(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	made := func(code, mend string) error {
		f := fault.New(fault.Internal, "%s", what).Wrap(err).WithMend("%s", mend)
		f.Code = code
		return f
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return made(CodeFull, "the disk is full: free some space and run the same command again; nothing was lost")
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return made(CodeDamaged, "the file is damaged or no Lockstep database: put a backup in its place, or move it away and run `lockstep sync` (records are matched and linked again)")
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
			return made(CodeReadOnly, "make the folder and the file writable for this user, then run the same command again")
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			what += ": another program holds the database, and did not let go of it in time"
			return made(CodeBusy, "close what holds it (a database browser, a backup, an open sqlite3 session: `fuser` on the file names the process), then run the same command again; nothing was lost, and what was under way is looked up first")
		case sqlite3.SQLITE_IOERR:
			return made(CodeStorage, "the disk did not answer as it should: check the disk and its free space, then run the same command again")
		}
		return made(CodeStorage, "run the same command again; if it comes back, report it with the run's log")
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return made(CodeFull, "the disk is full: free some space and run the same command again; nothing was lost")
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return made(CodeReadOnly, "make the folder and the file writable for this user, then run the same command again")
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return made(CodeStorage, "check that the path is right and the disk is there")
	}
	return err
}
