package replay

import (
	"math/bits"
	"sync/atomic"

	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

const (
	// Lines that one search touches at most. At so many uses as the table was made for two thirds of the
	// lines are full at most: it finds no room with a chance of 2^-51.
	probes = 96
	// Uses for which there is a line, and lines beyond those, for chance in a small table.
	usesPerLine = 4
	spareLines  = 2048
	// Lines of the window that a first line is drawn from.
	nearLines = 64
	// The mark rises in steps of so many milliseconds, a power of two, so it is seldom written to.
	markStepMS = 16

	golden = 0x9e37_79b9_7f4a_7c15
)

// table is the uses that a guard remembers, as one array of lines.
//
// A use's first line is where its timestamp is on a ring, plus chance within a small window, so a stream
// in the order of time works on a small part of the array, which stays in a near cache. Where that line
// is full, the next is drawn from a window four times as wide, and so on until any line will do: so any
// mix of timestamps finds the room there is.
//
// Nothing is swept, and a use never changes its line. A slot whose use can no longer be accepted is free.
// A line that a use had to go past notes until when that matters, and a search ends at the first line
// that no live use went past.
//
// What keeps equal uses from being accepted twice: they have the same lines in the same order, and the
// first of them lets one search at a time. The mark is read only with the line taken: then it is not
// older than the one by which a use was dropped from that line before.
type table struct {
	lines []line
	// How far above the mark a timestamp can be.
	spanMS uint64
	// What a millisecond is of the ring, which is 2^64 long.
	turn uint64
	// The first window is one part in 2^narrow of the ring.
	narrow uint
	// How many slots of a line any use may have; one more is kept for keys within their sure share.
	common int

	// Kept apart from what is only read: processors fetch lines in pairs.
	_      [128]byte
	markMS atomic.Uint64
	_      [120]byte
}

// spot is a use and where it belongs.
type spot struct {
	hash, ms, slot uint64
	// Where its timestamp is on the ring, as a part of 2^64.
	phase uint64
}

func newTable(entries int, skewMS uint64) *table {
	lines := linesFor(entries)
	return &table{
		lines:  make([]line, lines),
		spanMS: spanMS(skewMS),
		// A sixteenth more than a steady stream has live: so far clocks may differ.
		turn:   (1<<64 - 1) / (skewMS + skewMS/16),
		narrow: uint(max(bits.Len(uint(lines/nearLines)), 1) - 1),
		common: slots,
	}
}

// reserve keeps one slot of each line for keys within their sure share, and returns how many uses all keys
// together can be sure of: every second such slot, so that one is soon found.
func (t *table) reserve() int {
	t.common = slots - 1
	return len(t.lines) / 2
}

func (t *table) spot(hash, ms uint64) spot {
	return spot{hash: hash, ms: ms, slot: slotOf(hash, ms), phase: ms * t.turn}
}

// raise raises the mark: what is older is not accepted any more.
func (t *table) raise(deadMS uint64) {
	deadMS &^= markStepMS - 1
	for known := t.markMS.Load(); deadMS > known; known = t.markMS.Load() {
		if t.markMS.CompareAndSwap(known, deadMS) {
			return
		}
	}
}

func (t *table) mark() mark { return mark(t.markMS.Load()) }

// insert remembers a use where it is new and its key may have one more.
func (t *table) insert(s *spot, c counting) int32 {
	line := t.line(s, 0)
	n := line.takeAsFirst()
	m := t.mark()
	if s.ms < uint64(m) {
		line.give(n)
		return verdict.TimestampStale
	}
	if line.has(s.slot) {
		line.give(n)
		return verdict.Replayed
	}
	n = line.dropDead(n, t.common, m, t.spanMS)
	if n.used() >= t.common || n.isPassed(m, t.spanMS) {
		return t.search(line, n, s, c)
	}
	_, refused := c.add(uint64(m))
	if refused == verdict.Accept {
		n = line.put(n, s.slot)
	}
	line.give(n)
	return refused
}

// search is insert where the first line alone does not answer.
func (t *table) search(first *line, n note, s *spot, c counting) int32 {
	m := t.mark()
	probe := 0
	isKnown := false
	if n.isPassed(m, t.spanMS) {
		hasRoom := n.used() < t.common
		first.give(t.passing(s, n, hasRoom, m) | searched)
		probe, isKnown = t.find(s, hasRoom)
	} else {
		first.give(n | searched)
	}
	defer first.endSearch()
	if isKnown {
		return verdict.Replayed
	}
	share, refused := c.add(uint64(t.mark()))
	if refused != verdict.Accept {
		return refused
	}
	refused = t.place(s, probe, share)
	if refused != verdict.Accept {
		c.takeBack()
	}
	return refused
}

// find looks for a use behind its first line, and returns the first probe that has room otherwise. The
// lines before that note that the use goes past them, since they are not searched again.
func (t *table) find(s *spot, firstHasRoom bool) (room int, isKnown bool) {
	room = -1
	if firstHasRoom {
		room = 0
	}
	for probe := 1; probe < probes; probe++ {
		line := t.line(s, probe)
		n := line.take()
		m := t.mark()
		if line.has(s.slot) {
			line.give(n)
			return 0, true
		}
		n = line.dropDead(n, t.common, m, t.spanMS)
		isLast := !n.isPassed(m, t.spanMS)
		if room < 0 && (isLast || n.used() < t.common) {
			room = probe
		}
		if isLast {
			line.give(n)
			break
		}
		line.give(t.passing(s, n, room >= 0, m))
	}
	return max(room, 0), false
}

// passing is the note of a line that a use goes past, unless there was room before.
func (t *table) passing(s *spot, n note, hadRoom bool, m mark) note {
	if hadRoom {
		return n
	}
	return n.withPassing(s.ms, m, t.spanMS)
}

// place puts a use into the first line from a probe on that has room for it. The lines before have noted
// that it goes past them.
func (t *table) place(s *spot, probe int, share share) int32 {
	most := t.common
	if share == sure {
		most = slots
	}
	for ; probe < probes; probe++ {
		line := t.line(s, probe)
		n := line.take()
		m := t.mark()
		if s.ms < uint64(m) {
			// The mark has risen, and an equal use may have been dropped from a line before.
			line.give(n)
			return verdict.TimestampStale
		}
		n = line.dropDead(n, t.common, m, t.spanMS)
		if n.used() < most {
			line.give(line.put(n, s.slot))
			return verdict.Accept
		}
		line.give(n.withPassing(s.ms, m, t.spanMS))
	}
	return verdict.ReplayGuardFull
}

// line returns the line that is looked at as number probe. Each is drawn separately: steps of equal length
// would come round to the same few lines.
func (t *table) line(s *spot, probe int) *line {
	chance := mixed(s.hash + uint64(probe)*golden)
	narrow := t.narrow - min(t.narrow, 2*uint(probe))
	return &t.lines[partOf(s.phase+chance>>narrow, len(t.lines))]
}

// live returns how many uses are remembered that can still be accepted.
func (t *table) live() int {
	live := 0
	for i := range t.lines {
		line := &t.lines[i]
		n := line.keepLive(line.take(), t.mark(), t.spanMS)
		line.give(n)
		live += n.used()
	}
	return live
}

// linesFor returns as many lines as hold so many uses, whatever their timestamps.
func linesFor(entries int) int { return (entries+usesPerLine-1)/usesPerLine + spareLines }

// spanMS is how far a timestamp can be above the mark, which is at most a step behind the window's start.
func spanMS(skewMS uint64) uint64 { return 2*skewMS + markStepMS }

// mixed spreads all bits of a number over all bits.
func mixed(number uint64) uint64 {
	high, low := bits.Mul64(number, 0xd6e8_feb8_6659_fd93)
	return high ^ low
}

// partOf is as far into so many places as a number is into all numbers.
func partOf(number uint64, places int) int {
	high, _ := bits.Mul64(number, uint64(places))
	return int(high)
}
