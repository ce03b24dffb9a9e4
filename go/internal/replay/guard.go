// Package replay is a replay guard in the memory of one process, as crates/core/src/replay has it: the
// same rules and the same capacity, so that the two give the same answers.
package replay

import (
	"encoding/binary"
	"math/bits"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

// Guard remembers uses of keys. All its memory is taken when it is made.
type Guard struct {
	table     *table
	counts    *counts // nil without a quota
	skewMS    uint64
	freshAtMS uint64 // 0 where there was no guard before
	secret    [2]uint64
}

// Use is one use of a key that is otherwise good.
type Use struct {
	KeyID, CreatedMS, TimestampMS, SkewMS, NowMS uint64
	// 128 bits that stand for the key id and the digest.
	Tag [16]byte
}

// New creates a guard. The secret is the process's own, so that no client can choose its place in a table.
func New(options backend.GuardOptions, secret [2]uint64) *Guard {
	g := &Guard{
		table: newTable(options.Entries, options.SkewMS), skewMS: options.SkewMS, freshAtMS: options.StartedMS,
		secret: secret,
	}
	if options.UsesPerKey != 0 {
		secret := bits.RotateLeft64(secret[0], 32) ^ secret[1]
		g.counts = newCounts(options.UsesPerKey, options.Keys, g.table.reserve(), g.table.spanMS, secret)
	}
	return g
}

// SureUsesPerKey is how many uses each key is sure of, however many the other keys have.
func (g *Guard) SureUsesPerKey() int {
	if g.counts == nil {
		return 0
	}
	return int(g.counts.sure)
}

// SkewMS is the largest skew of the verifiers that may ask.
func (g *Guard) SkewMS() uint64 { return g.skewMS }

// Ask remembers a use and returns verdict.Accept where it is new, else why it cannot be accepted.
func (g *Guard) Ask(u *Use) int32 {
	if u.SkewMS > g.skewMS || u.TimestampMS > u.NowMS+g.skewMS {
		// Such a verifier accepts what this guard may have dropped already.
		return verdict.ReplayGuardUnavailable
	}
	// The guard's own skew: a verifier with a larger one than this may have been before.
	if g.freshAtMS != 0 && u.TimestampMS <= g.freshAtMS+g.skewMS && u.CreatedMS < g.freshAtMS {
		return verdict.ReplayGuardStarting
	}
	g.table.raise(u.NowMS - min(u.NowMS, g.skewMS))
	spot := g.table.spot(g.hash(&u.Tag), u.TimestampMS)
	return g.table.insert(&spot, counting{g.counts, u.KeyID, u.TimestampMS})
}

// hash is 64 bits that stand for a tag in this process.
func (g *Guard) hash(tag *[16]byte) uint64 {
	a := binary.LittleEndian.Uint64(tag[:8]) ^ g.secret[0]
	b := binary.LittleEndian.Uint64(tag[8:]) ^ g.secret[1]
	return mulHigh(a, b) ^ a*b
}

func mulHigh(a, b uint64) uint64 {
	high, _ := bits.Mul64(a, b)
	return high
}
