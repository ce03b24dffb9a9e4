package cortexkey

// The replay guard in the memory of this process.

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/replay"
)

// Limits of a [MemoryGuardConfig].
const (
	// MemoryGuardEntriesMax is the largest number of entries of a guard; they take 1.6 GB.
	MemoryGuardEntriesMax = 100_000_000
	// MemoryGuardKeysMax is the largest number of keys of a guard with a quota.
	MemoryGuardKeysMax = 1_000_000
)

// MemoryGuardConfig configures a [MemoryGuard].
//
// For 1,000 requests per second and a skew of 60 seconds, set Entries to 1,000 × 2 × 60 = 120,000, which takes
// 2.4 MB. The guard then holds 60,000 requests if all clocks agree, and 120,000 if every client's clock is
// ahead by the skew. A client that catches up after an outage may send 50,000 requests within one millisecond,
// and all are accepted.
//
// Without a quota, one key that floods the service fills the guard for all. With UsesPerKey 60,000 and Keys
// 100, one key uses at most half of the guard, and its further requests are refused with
// [VerdictReplayGuardQuota]. If several keys flood the guard, each key still has the share that
// [MemoryGuard.GuaranteedUsesPerKey] returns: an eighth of the entries divided by Keys, here about 150
// requests.
type MemoryGuardConfig struct {
	// Entries is how many requests the guard can remember: requests per second times twice the skew in seconds.
	Entries int
	// Skew is the largest skew of the verifiers that use the guard; 0 means 60 seconds.
	Skew time.Duration
	// Started is the current time. For the duration of the skew, requests that may have been accepted before it
	// are refused with [VerdictReplayGuardStarting]. It is required unless First is set.
	Started time.Time
	// First means that no request can have been accepted before: this is the first guard for these keys, or a
	// test.
	First bool
	// UsesPerKey is the largest number of requests that the guard remembers for one key; 0 means no limit. With
	// a limit, Keys is how many keys can have requests in the guard at a time.
	UsesPerKey, Keys int
}

// MemoryGuard is a [ReplayGuard] in the memory of this process. It allocates all its memory when it is
// created: at most 20 bytes per entry from 40,000 entries on, and 110 bytes per key with a quota. It accepts
// any mix of timestamps within the window up to its entries, and refuses requests when it is full; it never
// forgets a request that could still be replayed. Guards in different processes share no state.
//
// Several verifiers may share a guard. Pass it to [NewVerifier] directly. Your own ReplayGuard
// cannot wrap it: the guard needs more than a tag, so its Remember refuses every request.
type MemoryGuard struct {
	guard  *replay.Guard
	closed atomic.Bool
}

// NewMemoryGuard creates a guard and allocates its memory.
func NewMemoryGuard(config MemoryGuardConfig) (*MemoryGuard, error) {
	checked, err := config.check()
	if err != nil {
		return nil, err
	}
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNonceSource, err)
	}
	numbers := [2]uint64{binary.LittleEndian.Uint64(secret[:8]), binary.LittleEndian.Uint64(secret[8:])}
	return &MemoryGuard{guard: replay.New(checked, numbers)}, nil
}

func (c MemoryGuardConfig) check() (backend.GuardOptions, error) {
	none := backend.GuardOptions{}
	skew := c.Skew
	if skew == 0 {
		skew = 60 * time.Second
	}
	switch {
	case c.Entries < 1 || c.Entries > MemoryGuardEntriesMax || c.Entries > math.MaxInt/64:
		return none, fmt.Errorf("%w: MemoryGuardConfig.Entries is %d; give 1 to %d: requests per second times twice the skew in seconds",
			ErrInvalidOption, c.Entries, MemoryGuardEntriesMax)
	case skew < time.Second || skew > 300*time.Second:
		return none, fmt.Errorf("%w: MemoryGuardConfig.Skew is %v; give 1 to 300 seconds", ErrInvalidOption, c.Skew)
	case c.First != c.Started.IsZero() || !c.First && c.Started.UnixMilli() <= 0:
		return none, fmt.Errorf("%w: MemoryGuardConfig needs either Started, the time now, or First", ErrInvalidOption)
	case (c.UsesPerKey == 0) != (c.Keys == 0) || c.UsesPerKey < 0 || uint64(c.UsesPerKey) > math.MaxUint32 ||
		c.Keys < 0 || c.Keys > MemoryGuardKeysMax:
		return none, fmt.Errorf("%w: MemoryGuardConfig needs UsesPerKey and Keys, 1 to %d, or neither",
			ErrInvalidOption, MemoryGuardKeysMax)
	}
	checked := backend.GuardOptions{
		Entries: c.Entries, SkewMS: uint64(skew.Milliseconds()), UsesPerKey: uint32(c.UsesPerKey), Keys: c.Keys,
	}
	if !c.First {
		checked.StartedMS = uint64(c.Started.UnixMilli())
	}
	return checked, nil
}

// GuaranteedUsesPerKey returns how many requests of each key the guard can always remember, whatever the other
// keys do; 0 without a quota.
func (g *MemoryGuard) GuaranteedUsesPerKey() int {
	if g == nil || g.guard == nil {
		return 0
	}
	return g.guard.GuaranteedUsesPerKey()
}

// Remember always refuses: only a verifier can use a MemoryGuard.
func (*MemoryGuard) Remember(context.Context, [16]byte, time.Time) error {
	return refusals[VerdictReplayGuardUnavailable]
}

// Close closes the guard for new verifiers: [NewVerifier] returns [ErrClosed]. Verifiers that use
// it keep it, and its memory is freed with the last of them. Closing again does nothing.
func (g *MemoryGuard) Close() error {
	if g != nil {
		g.closed.Store(true)
	}
	return nil
}

// serves returns an error if the guard cannot serve a verifier with this skew.
func (g *MemoryGuard) serves(skewMS uint64) error {
	if g.guard == nil || g.closed.Load() {
		return fmt.Errorf("%w: the replay guard", ErrClosed)
	}
	if skewMS > g.guard.SkewMS() {
		return fmt.Errorf("%w: the verifier's skew of %v is larger than the replay guard's of %v; give both the same",
			ErrInvalidOption, time.Duration(skewMS)*time.Millisecond, time.Duration(g.guard.SkewMS())*time.Millisecond)
	}
	return nil
}

func (g *MemoryGuard) remember(p *backend.Principal, nowMS, skewMS uint64) Verdict {
	return Verdict(g.guard.Remember(&replay.Use{
		KeyID: p.KeyID, CreatedMS: p.CreatedMS, TimestampMS: p.SignedMS, SkewMS: skewMS, NowMS: nowMS, Tag: p.Tag,
	}))
}
