package sandbox

import (
	"archive/zip"
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A data file is a zip archive of three entries, so that a person can look
// inside and every byte has a checksum.
const (
	aboutEntry      = "sandbox.json"
	hubSpotEntry    = "hubspot"
	salesforceEntry = "salesforce"
	// dataFormat changes when an older program could not read the file.
	dataFormat = 1
)

// about is what a data file holds besides the two servers.
type about struct {
	Format      int         `json:"lockstepSandbox"`
	Saved       time.Time   `json:"saved"`
	Seed        string      `json:"seed"`
	Random      uint64      `json:"random"`
	ClockOffset int64       `json:"clockOffsetNanoseconds"`
	Credentials Credentials `json:"credentials"`
}

// state is what saving and loading need of a server.
type state interface {
	SaveState(io.Writer) error
	LoadState(io.Reader) error
}

// stamp tells whether a file is still the one that we wrote or read.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.ModTime(), info.Size()}, nil
}

// writeDataFile replaces path as a whole: a crash leaves the old file or the
// new one, never a part.
func writeDataFile(path string, a about, hubSpot, salesforce state) error {
	problem := func(err error) error {
		return &Error{What: "the data file " + quoted(path) + " cannot be written; what it held before is still there", Mend: "free space or give another file with --data", Cause: err}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return problem(err)
	}
	defer os.Remove(temp.Name())
	err = writeArchive(temp, a, hubSpot, salesforce)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return problem(err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return problem(err)
	}
	// A directory that cannot be synced (some systems) still has the file.
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

func writeArchive(w io.Writer, a about, hubSpot, salesforce state) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestSpeed)
	})
	for _, part := range []struct {
		name string
		save func(io.Writer) error
	}{
		{aboutEntry, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(a)
		}},
		{hubSpotEntry, hubSpot.SaveState}, {salesforceEntry, salesforce.SaveState},
	} {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: a.Saved})
		if err != nil {
			return err
		}
		if err := part.save(entry); err != nil {
			return err
		}
	}
	return archive.Close()
}

// readDataFile fills both servers from path; found is false where there is no
// such file yet. A file that cannot be understood is left as it is.
func readDataFile(path string, hubSpot, salesforce state) (a about, found bool, err error) {
	problem := func(err error) error {
		return &Error{
			What:  "the data file " + quoted(path) + " cannot be read as a sandbox's; it was left as it is",
			Mend:  "give another file with --data, or move this one away to start anew",
			Cause: err,
		}
	}
	archive, err := zip.OpenReader(path)
	if errors.Is(err, fs.ErrNotExist) {
		return about{}, false, nil
	}
	if err != nil {
		return about{}, false, problem(err)
	}
	defer archive.Close()
	read := func(name string, load func(io.Reader) error) error {
		entry, err := archive.Open(name)
		if err != nil {
			return err
		}
		defer entry.Close()
		if err := load(entry); err != nil {
			return err
		}
		// The checksum is compared at the end of the entry.
		_, err = io.Copy(io.Discard, entry)
		return err
	}
	err = read(aboutEntry, func(r io.Reader) error { return json.NewDecoder(r).Decode(&a) })
	if err == nil && a.Format != dataFormat {
		err = errors.New("it was written by another version of this program")
	}
	if err == nil {
		err = read(hubSpotEntry, hubSpot.LoadState)
	}
	if err == nil {
		err = read(salesforceEntry, salesforce.LoadState)
	}
	if err != nil {
		return about{}, false, problem(err)
	}
	return a, true, nil
}
