package legacykey

// triggers finds every trigger word in one pass over a text, whatever its case:
// the automaton of Aho and Corasick, as a table of 256 successors a state. Most
// files hold no trigger, and cost nothing but this pass.
type triggers struct {
	next []uint16 // state<<8 | byte -> state
	// found are the words that end in a state; most have none.
	found [][]uint16
	words []string
}

// met is a word and where it begins.
type met struct {
	word, at int
}

// newTriggers builds the table; words are in lower case.
func newTriggers(words []string) *triggers {
	t := &triggers{words: words}
	children := []map[byte]uint16{{}}
	t.found = [][]uint16{nil}
	for n, word := range words {
		state := uint16(0)
		for i := range len(word) {
			child, ok := children[state][word[i]]
			if !ok {
				child = uint16(len(children))
				children = append(children, map[byte]uint16{})
				t.found = append(t.found, nil)
				children[state][word[i]] = child
			}
			state = child
		}
		t.found[state] = append(t.found[state], uint16(n))
	}
	t.next = make([]uint16, len(children)<<8)
	fail := make([]uint16, len(children))
	queue := []uint16{}
	for b, child := range children[0] {
		t.next[b] = child
		queue = append(queue, child)
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		t.found[state] = append(t.found[state], t.found[fail[state]]...)
		copy(t.next[int(state)<<8:int(state+1)<<8], t.next[int(fail[state])<<8:int(fail[state]+1)<<8])
		for b, child := range children[state] {
			fail[child] = t.next[int(fail[state])<<8|int(b)]
			t.next[int(state)<<8|int(b)] = child
			queue = append(queue, child)
		}
	}
	for state := range children {
		for b := byte('A'); b <= 'Z'; b++ {
			t.next[state<<8|int(b)] = t.next[state<<8|int(b+'a'-'A')]
		}
	}
	return t
}

// find returns every word in text, in the order in which they end.
func (t *triggers) find(text []byte) []met {
	var list []met
	state := 0
	for i, b := range text {
		state = int(t.next[state<<8|int(b)])
		if found := t.found[state]; found != nil {
			for _, word := range found {
				list = append(list, met{int(word), i + 1 - len(t.words[word])})
			}
		}
	}
	return list
}
