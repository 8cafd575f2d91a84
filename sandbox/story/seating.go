package story

// Who works where. People come in blocks of fifty who work at a block of ten
// companies, from one person to fifteen, so that either can be had from the
// other without a table.
const (
	blockPeople    = 50
	blockCompanies = 10
)

// staff deals the block's company sizes out.
func (s *Story) staff(block int) [blockCompanies]int {
	sizes := [blockCompanies]int{1, 1, 2, 2, 3, 4, 5, 7, 10, 15}
	d := newDice(s.seed, saltBlock, block)
	for i := len(sizes) - 1; i > 0; i-- {
		j := d.below(i + 1)
		sizes[i], sizes[j] = sizes[j], sizes[i]
	}
	return sizes
}

// worksAt gives the company of person i and the person's rank in it; ok is false
// for the last people of a story that have no company left.
func (s *Story) worksAt(i int) (company, rank int, ok bool) {
	block, at := i/blockPeople, i%blockPeople
	first := block * blockCompanies
	left := s.companies - first
	if left <= 0 {
		return 0, 0, false
	}
	if left < blockCompanies {
		return first + at%left, at / left, true
	}
	for n, size := range s.staff(block) {
		if at < size {
			return first + n, at, true
		}
		at -= size
	}
	return 0, 0, false
}

// peopleAt lists at most three people whom worksAt puts at a company.
func (s *Story) peopleAt(company int) []int {
	block, at := company/blockCompanies, company%blockCompanies
	var list []int
	add := func(i int) {
		if i < s.size && len(list) < 3 {
			list = append(list, i)
		}
	}
	if left := s.companies - block*blockCompanies; left < blockCompanies {
		for i := at; i < blockPeople; i += left {
			add(block*blockPeople + i)
		}
		return list
	}
	from := 0
	for n, size := range s.staff(block) {
		if n == at {
			for i := range size {
				add(block*blockPeople + from + i)
			}
			break
		}
		from += size
	}
	return list
}
