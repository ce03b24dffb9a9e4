package replay

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	slots = 7
	// Bits of a slot that hold the timestamp's last milliseconds; the others are a tag of 43 bits.
	timeBits = 21
	timeMask = 1<<timeBits - 1

	// Ages of a line, in parts of 4,096 ms: from the first on it is looked through when it is taken, and
	// after the second everything in it is dead. Uses come until the first, and live for 600 s more at
	// most, which is 208 parts; the bits of time begin again after 365.
	ageToLook = 60
	ageOfDead = 240
)

// line is one line of the processor's cache: up to seven uses, the first ones, and a note about them,
// which is their lock, too. A slot of 0 is empty.
type line struct {
	note  word
	slots [slots]uint64
}

// mark is the low-water mark at one moment, in milliseconds: nothing older is accepted, ever.
type mark uint64

func (m mark) tick() uint32 { return tick(uint64(m)) }
func (m mark) part() uint64 { return uint64(m) >> 12 }

// tick is time in steps of 64 ms, which begin again after eight years. A line that was not
// used for that long only makes a search longer.
func tick(ms uint64) uint32 { return uint32(ms >> 6) }

// slotOf is what a slot holds for a use. It is never 0.
func slotOf(hash, ms uint64) uint64 { return max(hash<<timeBits|ms&timeMask, 1) }

// note: 32 bits for the latest use that went past the line, 3 for how many slots are used, 27 for when
// the line was last looked through, and a flag. The highest bit stays clear.
type note uint64

const (
	passedMask note = 0xffff_ffff
	agesMask        = 1<<27 - 1
	// A search for a use whose first line this is goes on. Meanwhile no other begins here, and so equal
	// uses meet here, wherever they end up.
	searched note = 1 << 62
)

func (n note) used() int      { return int(n >> 32 & 7) }
func (n note) passed() uint32 { return uint32(n) }

func (n note) age(m mark) uint64 { return (m.part() - uint64(n>>35)) & agesMask }

// isPassed reports whether a use that went past this line may still be accepted.
func (n note) isPassed(m mark, spanMS uint64) bool {
	return uint64(n.passed()-m.tick()) <= spanMS>>6+1
}

// withPassing notes that a use of this time goes past.
func (n note) withPassing(ms uint64, m mark, spanMS uint64) note {
	if n.isPassed(m, spanMS) && n.passed()-m.tick() >= tick(ms)-m.tick() {
		return n
	}
	return n&^passedMask | note(tick(ms))
}

func (n note) lookedThrough(used int, m mark) note {
	return n&(searched|passedMask) | note(used)<<32 | note(m.part()&agesMask)<<35
}

// has reports whether a use is here.
func (l *line) has(slot uint64) bool {
	for _, held := range l.slots {
		if held == slot {
			return true
		}
	}
	return false
}

// dropDead drops dead uses where mostUsed slots are used, and where that was not done for long.
func (l *line) dropDead(n note, mostUsed int, m mark, spanMS uint64) note {
	if n.used() >= mostUsed || n.age(m) > ageToLook {
		return l.keepLive(n, m, spanMS)
	}
	return n
}

// keepLive moves the uses that can still be accepted to the first slots, and drops the others.
func (l *line) keepLive(n note, m mark, spanMS uint64) note {
	allDead := n.age(m) > ageOfDead
	used := 0
	for i, slot := range l.slots {
		l.slots[i] = 0
		isLive := (slot-uint64(m))&timeMask <= spanMS
		if isLive && slot != 0 && !allDead {
			l.slots[used] = slot
			used++
		}
	}
	return n.lookedThrough(used, m)
}

// put puts a use into the first free slot; there must be one.
func (l *line) put(n note, slot uint64) note {
	l.slots[n.used()] = slot
	return n + 1<<32
}

func (l *line) take() note        { return note(l.note.take(0)) }
func (l *line) takeAsFirst() note { return note(l.note.take(uint64(searched))) }
func (l *line) give(n note)       { l.note.give(uint64(n)) }

func (l *line) endSearch() { l.give(l.take() &^ searched) }

// word is a word that one goroutine at a time takes and gives back. It guards the memory behind it: a
// mutex beside each line would need room of its own. Nothing panics while a word is taken.
type word struct {
	atomic.Uint64
}

// taken marks a word that a goroutine has locked.
const taken = 1<<64 - 1

// take takes the word, once it has none of these bits.
func (w *word) take(bits uint64) uint64 {
	for round := 0; ; round++ {
		value := w.Swap(taken)
		if value != taken {
			if value&bits == 0 {
				return value
			}
			w.Store(value)
		}
		for {
			pause(round)
			if value = w.Load(); value != taken && value&bits == 0 {
				break
			}
			round++
		}
	}
}

func (w *word) give(value uint64) { w.Store(value) }

// pause waits for the goroutine that has a word, which may have been preempted: after a few looks it lets
// others run, and at last it sleeps.
func pause(round int) {
	switch {
	case round < 20:
	case round < 200:
		runtime.Gosched()
	default:
		time.Sleep(50 * time.Microsecond)
	}
}
