//go:build cortexkey_cgo

package cortexkey

// What the C library has and this package alone has not: a replay guard in memory.

import (
	"context"
	"fmt"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/capi"
)

// MemoryGuardConfig is how a [MemoryGuard] is made.
type MemoryGuardConfig struct {
	// Entries is how many requests it can remember, whatever their timestamps: requests a second
	// times twice the skew in seconds.
	Entries int
	// Skew is the largest skew of the verifiers that ask it; 0 is 60 seconds.
	Skew time.Duration
	// Started is the time now. Requests that may have been accepted before are refused for as long
	// as the skew. It is required unless First is set.
	Started time.Time
	// First says that nothing can have been accepted before: the first guard ever of these keys, or a
	// test.
	First bool
	// UsesPerKey is how many requests of one key it may hold; more are refused as
	// VerdictReplayGuardQuota. 0 is no limit. Keys is then how many keys can have requests in it.
	UsesPerKey, Keys int
}

// MemoryGuard remembers in the memory of this process. It takes all of it when it is made, at most
// 20 bytes an entry from 40,000 entries on, and refuses when it is full. A guard in another process
// does not know what this one accepted.
//
// Any mix of timestamps is accepted up to Entries, also a burst within one millisecond. For 1,000
// requests a second and a skew of 60 seconds set Entries to 1,000 * (2 * 60) = 120,000, which takes
// 2.4 MB. With UsesPerKey 60,000 one key has half of those at most, and the other half is left for all
// other keys. Where several keys flood, each of 100 Keys is still sure of Entries / 8 / Keys = 150.
type MemoryGuard struct {
	guard *capi.ReplayGuard
}

// NewMemoryGuard makes a guard.
func NewMemoryGuard(config MemoryGuardConfig) (*MemoryGuard, error) {
	options := capi.GuardOptions{
		Entries: count(config.Entries), SkewMS: count(int(config.Skew.Milliseconds())),
		UsesPerKey: uint32(min(count(config.UsesPerKey), 1<<32-1)), Keys: count(config.Keys), First: config.First,
	}
	if !config.First {
		options.StartedMS = uint64(max(config.Started.UnixMilli(), 0))
	}
	guard, status := capi.NewReplayGuard(options)
	switch status {
	case capi.OK:
		return &MemoryGuard{guard}, nil
	case capi.InvalidOption:
		return nil, fmt.Errorf("%w: a MemoryGuard needs 1 to 100,000,000 entries, a skew of 1 to 300 seconds, "+
			"Started or First, and Keys with UsesPerKey", ErrInvalidOption)
	}
	return nil, libraryError(status)
}

// count is a number that the library refuses where ours is below zero.
func count(n int) uint64 { return uint64(int64(n)) }

// Remember refuses: a verifier asks a MemoryGuard within the library, and nobody else may.
func (*MemoryGuard) Remember(context.Context, [16]byte, time.Time) error {
	return refusals[VerdictReplayGuardUnavailable]
}

// Close frees the guard once no verifier has it any more. Closing again does nothing.
func (g *MemoryGuard) Close() error {
	g.guard.Free()
	return nil
}
