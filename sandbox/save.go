package sandbox

import "time"

// saveEvery is how often a changed state goes to the data file while listening;
// large states, which take longer to write, are written less often.
const (
	saveEvery = 3 * time.Second
	saveShare = 10 // at most a tenth of the time goes into saving
)

// Save writes the state to the data file if anything changed since it was last
// written. Without a data file it does nothing. The file is replaced as a whole,
// so a crash at any moment leaves either the old state or the new one; a file
// that another program wrote meanwhile is left alone with an error.
func (s *Sandbox) Save() error {
	if s.config.DataFile == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	now := s.versions()
	if now == s.saved {
		return nil
	}
	if here, err := stampOf(s.config.DataFile); err == nil && here != s.file {
		return &Error{
			What: "the data file " + quoted(s.config.DataFile) + " was written by another program; this sandbox's state was not saved",
			Mend: "run one sandbox per data file",
		}
	}
	a := about{
		Format: dataFormat, Saved: time.Now().UTC(), Seed: s.config.Seed, Random: s.config.Random,
		ClockOffset: int64(s.clock.Offset()), Credentials: now.world.credentials,
	}
	if err := writeDataFile(s.config.DataFile, a, now.world.hubSpot, now.world.salesforce); err != nil {
		return err
	}
	file, err := stampOf(s.config.DataFile)
	if err != nil {
		return &Error{What: "the data file " + quoted(s.config.DataFile) + " vanished while it was saved", Mend: "save again", Cause: err}
	}
	s.saved, s.file = now, file
	return nil
}

// load fills the sandbox from the data file; found is false where there is none.
func (s *Sandbox) load() (found bool, err error) {
	w := s.blank()
	a, found, err := readDataFile(s.config.DataFile, w.hubSpot, w.salesforce)
	if err != nil || !found {
		return false, err
	}
	s.nameOrigins(w)
	if s.config.Start.IsZero() {
		s.clock.Advance(time.Duration(a.ClockOffset) - s.clock.Offset())
	}
	w.credentials = a.Credentials
	s.world.Store(w)
	s.saved = s.versions()
	s.file, err = stampOf(s.config.DataFile)
	return true, err
}

func (s *Sandbox) versions() versions {
	w := s.world.Load()
	return versions{w, w.hubSpot.Version(), w.salesforce.Changes(), s.clock.Offset()}
}

// keepSaving saves every few seconds until Close. What cannot be saved now is
// tried again, and Close reports it.
func (s *Sandbox) keepSaving() {
	pause := saveEvery
	for {
		timer := time.NewTimer(pause)
		select {
		case <-s.stopSaving:
			timer.Stop()
			return
		case <-timer.C:
		}
		began := time.Now()
		_ = s.Save()
		pause = max(saveEvery, saveShare*time.Since(began))
	}
}
