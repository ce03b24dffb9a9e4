// Package replay is a replay guard in the memory of one process. It is a port of
// crates/core/src/replay, with the same rules and capacity, so that both give the same answers.
package replay

import (
	"encoding/binary"
	"math/bits"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

// Guard remembers uses of keys. It allocates all its memory when it is created.
type Guard struct {
	table     *table
	counts    *counts // nil without a quota
	skewMS    uint64
	startedMS uint64 // 0 if no earlier guard can have existed
	secret    [2]uint64
}

// Use is one use of a key that is valid apart from a possible replay.
type Use struct {
	KeyID, CreatedMS, TimestampMS, SkewMS, NowMS uint64
	// 128 bits that identify the key id and the digest.
	Tag [16]byte
}

// New creates a guard. The secret must be random, so that no client can choose its place in a
// table.
func New(options backend.GuardOptions, secret [2]uint64) *Guard {
	g := &Guard{
		table: newTable(options.Entries, options.SkewMS), skewMS: options.SkewMS, startedMS: options.StartedMS,
		secret: secret,
	}
	if options.UsesPerKey != 0 {
		secret := bits.RotateLeft64(secret[0], 32) ^ secret[1]
		g.counts = newCounts(options.UsesPerKey, options.Keys, g.table.reserve(), g.table.spanMS, secret)
	}
	return g
}

// GuaranteedUsesPerKey returns how many uses each key is guaranteed, however many the other keys have; 0
// without a quota.
func (g *Guard) GuaranteedUsesPerKey() int {
	if g.counts == nil {
		return 0
	}
	return int(g.counts.guaranteed)
}

// SkewMS returns the largest skew of the verifiers that may use the guard.
func (g *Guard) SkewMS() uint64 { return g.skewMS }

// Remember stores a use and returns verdict.Accept if it is new; otherwise it returns why the use
// cannot be accepted.
func (g *Guard) Remember(u *Use) int32 {
	if u.SkewMS > g.skewMS || u.TimestampMS > u.NowMS+g.skewMS {
		// Such a verifier would accept uses that this guard may have dropped already.
		return verdict.ReplayGuardUnavailable
	}
	// The guard's own skew counts: an earlier verifier may have had a larger one than this verifier.
	if g.startedMS != 0 && u.TimestampMS <= g.startedMS+g.skewMS && u.CreatedMS < g.startedMS {
		return verdict.ReplayGuardStarting
	}
	g.table.raise(u.NowMS - min(u.NowMS, g.skewMS))
	spot := g.table.spot(g.hash(&u.Tag), u.TimestampMS)
	return g.table.insert(&spot, counting{g.counts, u.KeyID, u.TimestampMS})
}

// hash returns 64 bits that identify a tag in this process.
func (g *Guard) hash(tag *[16]byte) uint64 {
	a := binary.LittleEndian.Uint64(tag[:8]) ^ g.secret[0]
	b := binary.LittleEndian.Uint64(tag[8:]) ^ g.secret[1]
	return mulHigh(a, b) ^ a*b
}

func mulHigh(a, b uint64) uint64 {
	high, _ := bits.Mul64(a, b)
	return high
}
