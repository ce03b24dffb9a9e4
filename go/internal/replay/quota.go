package replay

import (
	"sync/atomic"

	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

const (
	// A window is as long as ten time slices, so it touches eleven.
	slices = 11
	// The most places that one search for a key probes. At most two thirds of the places have keys, so
	// a search finds none with a probability of 2^-37.
	keyProbes = 64
)

// share reports whether one more use is within the key's guaranteed share.
type share bool

const (
	guaranteedShare share = true
	commonShare     share = false
)

// counting counts one use of one key, if the guard has a quota.
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

// undo undoes the count of a use that was not stored.
func (c *counting) undo() {
	if c.counts != nil {
		c.counts.undo(c.keyID, c.ms)
	}
}

// counts holds the number of uses of each key, in a table of fixed size.
//
// A key's count has a number for each time slice. Slices below the mark are dropped, so a use counts until the end
// of its timestamp's slice, at most a fifth of the skew longer than it is stored.
type counts struct {
	// The owner of the count at the same index of places; 0 means unused.
	ids    []atomic.Uint64
	places []count
	// Locked by the goroutine that assigns a place to another key.
	assigning  word
	usesPerKey uint32
	// The guaranteed share of each key.
	guaranteed uint32
	// 2^64 divided by the length of a slice in milliseconds.
	turn   uint64
	secret uint64
}

// count holds a key's uses by time slice, in one cache line of the processor.
type count struct {
	// The oldest slice that is counted, which only rises. Its lock protects the other fields.
	oldest word
	keyID  uint64
	all    uint32 // the sum of uses
	uses   [slices]uint32
}

func newCounts(usesPerKey uint32, keys, guaranteed int, spanMS, secret uint64) *counts {
	places := keys + keys/2 + 8
	return &counts{
		ids: make([]atomic.Uint64, places), places: make([]count, places), usesPerKey: usesPerKey,
		guaranteed: uint32(min(uint64(guaranteed/max(keys, 1)), uint64(usesPerKey))),
		turn:       (1<<64 - 1) / ((spanMS + slices - 2) / (slices - 1)), secret: secret,
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
		value := count.oldest.lock(0)
		if count.keyID != keyID {
			// The place was assigned to another key meanwhile.
			count.oldest.unlock(value)
			continue
		}
		value = count.dropBelow(value, oldest)
		share, refused := c.addTo(count, slice, value)
		count.oldest.unlock(value)
		return share, refused
	}
}

// addTo adds a use to a locked count.
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
	return share(all < c.guaranteed), verdict.Accept
}

func (c *counts) undo(keyID, ms uint64) {
	place, ok := c.find(keyID)
	if !ok {
		return
	}
	slice, count := c.slice(ms), &c.places[place]
	oldest := count.oldest.lock(0)
	if uses := &count.uses[slice%slices]; count.keyID == keyID && slice >= oldest && *uses > 0 {
		*uses--
		count.all--
	}
	count.oldest.unlock(oldest)
}

// slice returns the slice of a time.
func (c *counts) slice(ms uint64) uint64 { return mulHigh(ms, c.turn) }

// place returns the place of a key for one probe. Key ids are small numbers; the secret prevents an attacker from
// choosing ids that collide.
func (c *counts) place(keyID uint64, probe int) int {
	return partOf(mixed(mixed(keyID^c.secret)+uint64(probe)*golden), len(c.ids))
}

// find returns the place of a key, if it has one: always before the first place that was never used.
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

// claim assigns to a key the first place that is unused, or whose key has no uses.
func (c *counts) claim(keyID, oldest uint64) (int, bool) {
	value := c.assigning.lock(0)
	defer c.assigning.unlock(value)
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
	value := count.dropBelow(count.oldest.lock(0), oldest)
	isFree := count.all == 0
	if isFree {
		count.keyID = keyID
		c.ids[place].Store(keyID)
	}
	count.oldest.unlock(value)
	return isFree
}

// dropBelow drops the slices below low, and returns the oldest slice that still counts.
func (c *count) dropBelow(oldest, low uint64) uint64 {
	for slice := oldest; slice < min(low, oldest+slices); slice++ {
		c.all -= c.uses[slice%slices]
		c.uses[slice%slices] = 0
	}
	return max(oldest, low)
}
