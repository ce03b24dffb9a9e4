package replay

import (
	"sync/atomic"

	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

const (
	// A window has ten slices of time, and touches one more.
	slices = 11
	// Places that one search for a key looks at. Two thirds of the places have keys at most, so a key
	// finds none with a chance of 2^-37.
	keyProbes = 64
)

// share is whether one more use is within what its key is sure of.
type share bool

const (
	sure        share = true
	commonShare share = false
)

// counting counts one use of one key, where the guard has a quota.
type counting struct {
	counts    *counts // nil: no quota
	keyID, ms uint64
}

// add counts the use, or returns why it cannot be accepted.
func (c *counting) add(markMS uint64) (share, int32) {
	if c.counts == nil {
		return commonShare, verdict.Accept
	}
	return c.counts.add(c.keyID, c.ms, markMS)
}

// takeBack takes back what was counted and not remembered.
func (c *counting) takeBack() {
	if c.counts != nil {
		c.counts.takeBack(c.keyID, c.ms)
	}
}

// counts is how many uses each key has, in a table that does not grow.
//
// A key's count has a number for each slice of time and drops those below the mark: so a use counts until
// the end of its timestamp's slice, at most a fifth of the skew longer than it is remembered.
type counts struct {
	// Whose count is at the same place of places; 0 means unused.
	ids    []atomic.Uint64
	places []count
	// Taken by the goroutine that gives a place to another key.
	giving     word
	usesPerKey uint32
	// What each key can have, whatever the others have.
	sure uint32
	// 2^64 over a slice.
	turn   uint64
	secret uint64
}

// count is a key's uses by slices of time. It is one line of the processor's cache.
type count struct {
	// The oldest slice that is counted, which only rises. It is the lock of the others.
	oldest word
	keyID  uint64
	all    uint32 // the sum of uses
	uses   [slices]uint32
}

func newCounts(usesPerKey uint32, keys, sure int, spanMS, secret uint64) *counts {
	places := keys + keys/2 + 8
	return &counts{
		ids: make([]atomic.Uint64, places), places: make([]count, places), usesPerKey: usesPerKey,
		sure: uint32(min(uint64(sure/max(keys, 1)), uint64(usesPerKey))),
		turn: (1<<64 - 1) / ((spanMS + slices - 2) / (slices - 1)), secret: secret,
	}
}

func (c *counts) add(keyID, ms, markMS uint64) (share, int32) {
	slice, oldest := c.slice(ms), c.slice(markMS)
	for {
		place, ok := c.find(keyID)
		if !ok {
			if place, ok = c.claim(keyID, oldest); !ok {
				return commonShare, verdict.ReplayGuardFull
			}
		}
		count := &c.places[place]
		value := count.oldest.take(0)
		if count.keyID != keyID {
			// The place was given to another key in between.
			count.oldest.give(value)
			continue
		}
		value = count.dropBelow(value, oldest)
		share, refused := c.addTo(count, slice, value)
		count.oldest.give(value)
		return share, refused
	}
}

// addTo adds to a count that is taken.
func (c *counts) addTo(count *count, slice, oldest uint64) (share, int32) {
	all := count.all
	if all >= c.usesPerKey {
		return commonShare, verdict.ReplayGuardQuota
	}
	if slice < oldest || slice-oldest >= slices {
		return commonShare, verdict.TimestampStale
	}
	count.uses[slice%slices]++
	count.all++
	return share(all < c.sure), verdict.Accept
}

func (c *counts) takeBack(keyID, ms uint64) {
	place, ok := c.find(keyID)
	if !ok {
		return
	}
	slice, count := c.slice(ms), &c.places[place]
	oldest := count.oldest.take(0)
	if uses := &count.uses[slice%slices]; count.keyID == keyID && slice >= oldest && *uses > 0 {
		*uses--
		count.all--
	}
	count.oldest.give(oldest)
}

// slice is the slice of a time.
func (c *counts) slice(ms uint64) uint64 { return mulHigh(ms, c.turn) }

// place returns where a key may be, one place after the other. Key ids are small numbers; the secret keeps
// anyone from choosing ones that meet.
func (c *counts) place(keyID uint64, probe int) int {
	return partOf(mixed(mixed(keyID^c.secret)+uint64(probe)*golden), len(c.ids))
}

// find returns the place of a key that has one, which is before the first place that was never used.
func (c *counts) find(keyID uint64) (int, bool) {
	for probe := range keyProbes {
		place := c.place(keyID, probe)
		switch c.ids[place].Load() {
		case keyID:
			return place, true
		case 0:
			return 0, false
		}
	}
	return 0, false
}

// claim gives a key the first place that is unused, or whose key has no uses.
func (c *counts) claim(keyID, oldest uint64) (int, bool) {
	value := c.giving.take(0)
	defer c.giving.give(value)
	if place, ok := c.find(keyID); ok {
		return place, true
	}
	for probe := range keyProbes {
		if place := c.place(keyID, probe); c.claimAt(place, keyID, oldest) {
			return place, true
		}
	}
	return 0, false
}

func (c *counts) claimAt(place int, keyID, oldest uint64) bool {
	count := &c.places[place]
	value := count.dropBelow(count.oldest.take(0), oldest)
	isFree := count.all == 0
	if isFree {
		count.keyID = keyID
		c.ids[place].Store(keyID)
	}
	count.oldest.give(value)
	return isFree
}

// dropBelow drops what is older than a slice, and returns the oldest that is then counted.
func (c *count) dropBelow(oldest, low uint64) uint64 {
	for slice := oldest; slice < min(low, oldest+slices); slice++ {
		c.all -= c.uses[slice%slices]
		c.uses[slice%slices] = 0
	}
	return max(oldest, low)
}
