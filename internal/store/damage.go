package store

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// A file of at most checkAlways bytes is checked by every process before it
	// works on the pair: half a second at most (0.22 s for 100,000 links with their
	// journal, 128 MB, on one core: BenchmarkCheck). A larger one only when the last check is checkEvery old, or when
	// the last process did not end by itself.
	checkAlways = 256 << 20
	checkEvery  = 24 * time.Hour
	// checkedMeta remembers when a larger file was checked last, in microseconds.
	checkedMeta = "checked"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rowSum is the checksum of a row's values as they are stored: int64, int,
// string, []byte or nil. It finds every error of up to 32 neighbouring bits. It
// is never 0, which stands for a row without a sum.
func rowSum(values ...any) int64 {
	buffer := make([]byte, 0, 256)
	for _, v := range values {
		switch v := v.(type) {
		case int64:
			buffer = binary.LittleEndian.AppendUint64(append(buffer, 'i'), uint64(v))
		case int:
			buffer = binary.LittleEndian.AppendUint64(append(buffer, 'i'), uint64(v))
		case string:
			buffer = binary.AppendUvarint(append(buffer, 't'), uint64(len(v)))
			buffer = append(buffer, v...)
		case []byte:
			buffer = binary.AppendUvarint(append(buffer, 'b'), uint64(len(v)))
			buffer = append(buffer, v...)
		case nil:
			buffer = append(buffer, 'n')
		default:
			panic("store: a row value without a sum") // a mistake of this package
		}
	}
	return max(1, int64(crc32.Checksum(buffer, castagnoli)))
}

// holds makes sure that a row holds what was stored; what names the row, for
// people. A row that does not is damage like any other.
func (s *Store) holds(sum int64, what string, values ...any) error {
	if sum == 0 || sum == rowSum(values...) {
		return nil
	}
	return s.noteDamage(what + " does not hold what was stored")
}

// noteDamage remembers that the file is damaged, as the fault that everything
// answers from then on: what a damaged file says must decide nothing.
func (s *Store) noteDamage(how string) error {
	f := damaged(s.path, how)
	s.damage.CompareAndSwap(nil, f)
	return s.damage.Load()
}

func damaged(path, how string) *fault.Error {
	f := fault.New(fault.Internal, "the database %s is damaged: %s", path, how).
		WithMend("nothing was written to HubSpot or Salesforce after this was noticed; move %[1]s, %[1]s-wal and %[1]s-shm away, then either put a backup of the database in its place, or start with none: look at `lockstep plan`, then run `lockstep sync`, and records are matched and linked again (only the history is lost)", path)
	f.Code = CodeDamaged
	return f
}

// bytesOf is a blob as it is stored: never NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// whole tells that the file was not found to be damaged so far.
func (s *Store) whole() error {
	if f := s.damage.Load(); f != nil {
		return f
	}
	return nil
}

// fault is storageFault for this store, and notes damage.
func (s *Store) fault(what string, err error) error {
	err = storageFault(what, err)
	f, ok := fault.As(err)
	if !ok || f.Code != CodeDamaged || f == s.damage.Load() {
		return err
	}
	return s.noteDamage(f.Err.Error())
}

// check looks for damaged pages before this process works on the pair, where
// that is due. unclean says that the last process did not end by itself.
func (s *Store) check(ctx context.Context, unclean bool) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return storageFault("open "+s.path, err)
	}
	mark, err := s.Meta(ctx, checkedMeta)
	if err != nil {
		return err
	}
	micros, _ := strconv.ParseInt(mark, 10, 64) // none reads as 0
	if !checkIsDue(info.Size(), unclean, time.UnixMicro(micros), s.now()) {
		return nil
	}
	finding := ""
	if err := s.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&finding); err != nil {
		return s.readFault(ctx, err)
	}
	if finding != "ok" {
		return s.noteDamage(finding)
	}
	if info.Size() <= checkAlways {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.transact(context.WithoutCancel(ctx), func(t *Tx) error {
		return t.SetMeta(checkedMeta, strconv.FormatInt(s.now().UnixMicro(), 10))
	}, false)
}

// checkIsDue tells whether a file of so many bytes is looked through; see
// checkAlways.
func checkIsDue(bytes int64, unclean bool, last, now time.Time) bool {
	age := now.Sub(last)
	return bytes <= checkAlways || unclean || age < 0 || age >= checkEvery
}
