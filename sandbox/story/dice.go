package story

// dice is a small seeded generator (SplitMix64), written out here so that no
// release of the standard library ever changes a story.
type dice struct{ state uint64 }

// The salts keep the streams of different records apart.
const (
	saltCompany = 0x636f6d70616e7900
	saltPerson  = 0x706572736f6e0000
	saltDeal    = 0x6465616c00000000
	saltOwner   = 0x6f776e6572000000
	saltBlock   = 0x626c6f636b000000
)

func newDice(seed, salt uint64, index int) dice {
	d := dice{seed ^ salt}
	// The number is mixed in through two rounds: added plainly, neighbours would
	// draw from one stream, a step apart.
	d.state = d.next() ^ uint64(index)*0xd1342543de82ef95
	d.state = d.next()
	return d
}

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int { return int(d.next() >> 1 % uint64(n)) }

// between returns a number from low to high, both included.
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// share is true in a share of cases, 0 to 1.
func (d *dice) share(p float64) bool { return float64(d.next()>>11)/(1<<53) < p }

func pick[T any](d *dice, from []T) T { return from[d.below(len(from))] }

// weighted returns an index with a chance proportional to its weight.
func (d *dice) weighted(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := d.below(sum)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}
