package replay

import (
	"math/bits"
	"sync/atomic"

	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

const (
	// The most lines that one search touches. With as many uses as the table was made for, at most two thirds of the
	// lines are full, so a search finds no space with a probability of 2^-51.
	probes = 96
	// Uses per line, and additional lines that even out chance in a small table.
	usesPerLine = 4
	spareLines  = 2048
	// The window, in lines, from which a first line is drawn.
	nearLines = 64
	// The mark rises in steps of this many milliseconds, a power of two, so it is seldom written to.
	markStepMS = 16

	golden = 0x9e37_79b9_7f4a_7c15
)

// table stores the uses of a guard in one array of lines.
//
// A use's first line is its timestamp's position on a ring, plus a random offset within a small window, so a stream in
// chronological order works on a small part of the array, which stays in a near cache. If that line is full, the next
// is drawn from a window four times as wide, and so on until any line is possible, so that any mix of timestamps finds
// the space that is left.
//
// Nothing is swept, and a use never changes its line. A slot whose use can no longer be accepted is free. A line that a
// use went past notes until when that matters, and a search ends at the first line that no live use went past.
//
// Why equal uses are not accepted twice: they have the same lines in the same order, and the first line allows one
// search at a time. The mark is read only with the line locked: then it is not older than the one by which a use was
// dropped from that line before.
type table struct {
	lines []line
	// How far above the mark a timestamp can be.
	spanMS uint64
	// The part of the ring, which is 2^64 long, that a millisecond takes.
	turn uint64
	// The first window is one part in 2^narrow of the ring.
	narrow uint
	// The slots of a line that any use may take; one more is kept for keys within their guaranteed share.
	common int

	// Kept apart from read-only data: processors fetch cache lines in pairs.
	_      [128]byte
	markMS atomic.Uint64
	_      [120]byte
}

// spot is a use and its position.
type spot struct {
	hash, ms, slot uint64
	// Its timestamp's position on the ring, as a part of 2^64.
	phase uint64
}

func newTable(entries int, skewMS uint64) *table {
	lines := linesFor(entries)
	return &table{
		lines:  make([]line, lines),
		spanMS: spanMS(skewMS),
		// A sixteenth more than the live uses of a steady stream, to allow for clock differences.
		turn:   (1<<64 - 1) / (skewMS + skewMS/16),
		narrow: uint(max(bits.Len(uint(lines/nearLines)), 1) - 1),
		common: slots,
	}
}

// reserve keeps one slot of each line for keys within their guaranteed share, and returns how many uses can be
// guaranteed to all keys together: every second such slot, so that one is found soon.
func (t *table) reserve() int {
	t.common = slots - 1
	return len(t.lines) / 2
}

func (t *table) spot(hash, ms uint64) spot {
	return spot{hash: hash, ms: ms, slot: slotOf(hash, ms), phase: ms * t.turn}
}

// raise raises the mark: older timestamps are no longer accepted.
func (t *table) raise(deadMS uint64) {
	deadMS &^= markStepMS - 1
	for known := t.markMS.Load(); deadMS > known; known = t.markMS.Load() {
		if t.markMS.CompareAndSwap(known, deadMS) {
			return
		}
	}
}

func (t *table) mark() mark { return mark(t.markMS.Load()) }

// insert stores a use if it is new and its key may have one more.
func (t *table) insert(s *spot, c counting) int32 {
	line := t.line(s, 0)
	n := line.lockAsFirst()
	m := t.mark()
	if s.ms < uint64(m) {
		line.unlock(n)
		return verdict.TimestampStale
	}
	if line.has(s.slot) {
		line.unlock(n)
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
	line.unlock(n)
	return refused
}

// search does the same if the first line alone does not decide it.
func (t *table) search(first *line, n note, s *spot, c counting) int32 {
	m := t.mark()
	probe := 0
	isKnown := false
	if n.isPassed(m, t.spanMS) {
		hasRoom := n.used() < t.common
		first.unlock(t.passing(s, n, hasRoom, m) | searched)
		probe, isKnown = t.find(s, hasRoom)
	} else {
		first.unlock(n | searched)
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
		c.undo()
	}
	return refused
}

// find searches for a use behind its first line. If the use is not stored, find returns the first probe with a free
// slot; the lines before it note that the use goes past them, because they are not visited again.
func (t *table) find(s *spot, firstHasRoom bool) (room int, isKnown bool) {
	room = -1
	if firstHasRoom {
		room = 0
	}
	for probe := 1; probe < probes; probe++ {
		line := t.line(s, probe)
		n := line.lock()
		m := t.mark()
		if line.has(s.slot) {
			line.unlock(n)
			return 0, true
		}
		n = line.dropDead(n, t.common, m, t.spanMS)
		isLast := !n.isPassed(m, t.spanMS)
		if room < 0 && (isLast || n.used() < t.common) {
			room = probe
		}
		if isLast {
			line.unlock(n)
			break
		}
		line.unlock(t.passing(s, n, room >= 0, m))
	}
	return max(room, 0), false
}

// passing returns the note of a line that a use goes past, unless an earlier line had room.
func (t *table) passing(s *spot, n note, hadRoom bool, m mark) note {
	if hadRoom {
		return n
	}
	return n.withPassing(s.ms, m, t.spanMS)
}

// place puts a use into the first line from probe on that has room for it. The lines before have noted that it goes
// past them.
func (t *table) place(s *spot, probe int, share share) int32 {
	most := t.common
	if share == guaranteedShare {
		most = slots
	}
	for ; probe < probes; probe++ {
		line := t.line(s, probe)
		n := line.lock()
		m := t.mark()
		if s.ms < uint64(m) {
			// The mark has risen, and an equal use may have been dropped from a line before.
			line.unlock(n)
			return verdict.TimestampStale
		}
		n = line.dropDead(n, t.common, m, t.spanMS)
		if n.used() < most {
			line.unlock(line.put(n, s.slot))
			return verdict.Accept
		}
		line.unlock(n.withPassing(s.ms, m, t.spanMS))
	}
	return verdict.ReplayGuardFull
}

// line returns the line of a probe. Each is drawn independently: steps of equal length would visit the same few lines
// again.
func (t *table) line(s *spot, probe int) *line {
	chance := mixed(s.hash + uint64(probe)*golden)
	narrow := t.narrow - min(t.narrow, 2*uint(probe))
	return &t.lines[partOf(s.phase+chance>>narrow, len(t.lines))]
}

// live returns how many stored uses can still be accepted.
func (t *table) live() int {
	live := 0
	for i := range t.lines {
		line := &t.lines[i]
		n := line.keepLive(line.lock(), t.mark(), t.spanMS)
		line.unlock(n)
		live += n.used()
	}
	return live
}

// linesFor returns the number of lines of a table for this many uses, whatever their timestamps.
func linesFor(entries int) int { return (entries+usesPerLine-1)/usesPerLine + spareLines }

// spanMS returns how far a timestamp can be above the mark, which is at most a step behind the window's start.
func spanMS(skewMS uint64) uint64 { return 2*skewMS + markStepMS }

// mixed returns a hash in which each bit depends on all bits of the number.
func mixed(number uint64) uint64 {
	high, low := bits.Mul64(number, 0xd6e8_feb8_6659_fd93)
	return high ^ low
}

// partOf maps a number to an index below places, in proportion.
func partOf(number uint64, places int) int {
	high, _ := bits.Mul64(number, uint64(places))
	return int(high)
}
