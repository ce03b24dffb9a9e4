package replay

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	slots = 7
	// The bits of a slot that hold the last bits of the timestamp's milliseconds; the other 43 bits
	// are a tag.
	timeBits = 21
	timeMask = 1<<timeBits - 1

	// Ages of a line, in units of 4,096 ms: after the first it is scanned when it is locked, and after the second all
	// its uses are dead. Uses are added until the first, and die at most 600 s later, which is 208 units; the bits of
	// time wrap around after 365.
	scanAge = 60
	deadAge = 240
)

// line is one cache line of the processor: up to seven uses, which are the first slots, and a note
// about them, which is also their lock. A slot of 0 is empty.
type line struct {
	note  word
	slots [slots]uint64
}

// mark is the low-water mark at one moment, in milliseconds: nothing older is ever accepted.
type mark uint64

func (m mark) tick() uint32 { return tick(uint64(m)) }
func (m mark) part() uint64 { return uint64(m) >> 12 }

// tick is the time in steps of 64 ms, which wraps around after eight years. A line that was unused
// for that long only makes a search longer.
func tick(ms uint64) uint32 { return uint32(ms >> 6) }

// slotOf returns the slot value of a use. It is never 0.
func slotOf(hash, ms uint64) uint64 { return max(hash<<timeBits|ms&timeMask, 1) }

// note has 32 bits for the latest use that went past the line, 3 for the number of used slots, 27
// for when the line was last scanned, and a flag. The highest bit stays clear.
type note uint64

const (
	passedMask note = 0xffff_ffff
	agesMask        = 1<<27 - 1
	// A search for a use with this first line is under way. While it is set, no other search starts
	// here, so equal uses meet here, wherever they end up.
	searched note = 1 << 62
)

func (n note) used() int      { return int(n >> 32 & 7) }
func (n note) passed() uint32 { return uint32(n) }

func (n note) age(m mark) uint64 { return (m.part() - uint64(n>>35)) & agesMask }

// isPassed reports whether a use that went past this line may still be accepted.
func (n note) isPassed(m mark, spanMS uint64) bool {
	return uint64(n.passed()-m.tick()) <= spanMS>>6+1
}

// withPassing notes that a use of this time goes past the line.
func (n note) withPassing(ms uint64, m mark, spanMS uint64) note {
	if n.isPassed(m, spanMS) && n.passed()-m.tick() >= tick(ms)-m.tick() {
		return n
	}
	return n&^passedMask | note(tick(ms))
}

func (n note) scanned(used int, m mark) note {
	return n&(searched|passedMask) | note(used)<<32 | note(m.part()&agesMask)<<35
}

// has reports whether the line contains a use.
func (l *line) has(slot uint64) bool {
	for _, held := range l.slots {
		if held == slot {
			return true
		}
	}
	return false
}

// dropDead drops dead uses if at least mostUsed slots are used, or if the line was not scanned
// recently.
func (l *line) dropDead(n note, mostUsed int, m mark, spanMS uint64) note {
	if n.used() >= mostUsed || n.age(m) > scanAge {
		return l.keepLive(n, m, spanMS)
	}
	return n
}

// keepLive moves the uses that can still be accepted to the first slots, and drops the others.
func (l *line) keepLive(n note, m mark, spanMS uint64) note {
	allDead := n.age(m) > deadAge
	used := 0
	for i, slot := range l.slots {
		l.slots[i] = 0
		isLive := (slot-uint64(m))&timeMask <= spanMS
		if isLive && slot != 0 && !allDead {
			l.slots[used] = slot
			used++
		}
	}
	return n.scanned(used, m)
}

// put puts a use into the first free slot; there must be one.
func (l *line) put(n note, slot uint64) note {
	l.slots[n.used()] = slot
	return n + 1<<32
}

func (l *line) lock() note        { return note(l.note.lock(0)) }
func (l *line) lockAsFirst() note { return note(l.note.lock(uint64(searched))) }
func (l *line) unlock(n note)     { l.note.unlock(uint64(n)) }

func (l *line) endSearch() { l.unlock(l.lock() &^ searched) }

// word is a word that one goroutine at a time locks and unlocks. It protects the memory behind it.
// A mutex for each line would need extra space. Nothing panics while a word is locked.
type word struct {
	atomic.Uint64
}

// locked marks a word that a goroutine has locked.
const locked = 1<<64 - 1

// lock locks the word, once it has none of these bits, and returns its value.
func (w *word) lock(bits uint64) uint64 {
	for round := 0; ; round++ {
		value := w.Swap(locked)
		if value != locked {
			if value&bits == 0 {
				return value
			}
			w.Store(value)
		}
		for {
			pause(round)
			if value = w.Load(); value != locked && value&bits == 0 {
				break
			}
			round++
		}
	}
}

func (w *word) unlock(value uint64) { w.Store(value) }

// pause waits for the goroutine that holds a word and may have been preempted. It first returns at once, later yields
// to other goroutines, and finally sleeps.
func pause(round int) {
	switch {
	case round < 20:
	case round < 200:
		runtime.Gosched()
	default:
		time.Sleep(50 * time.Microsecond)
	}
}
