package cortexkey

// Rejects a captured request that is sent again.

import (
	"context"
	"time"
)

// ReplayGuard remembers which requests were accepted, so that none is accepted twice. [MemoryGuard] serves one
// process; several processes need a guard that they share.
type ReplayGuard interface {
	// Remember stores a tag until a time and reports whether it is new: nil if so, [VerdictReplayed] if the tag
	// was known. Any other error means that the guard cannot tell, and refuses the request. Checking and storing
	// must be one atomic step.
	//
	// A tag identifies one use of one key, and is the same in every process. Only requests that are otherwise
	// valid reach a guard, so unauthenticated clients cannot fill it.
	//
	// A store that expires entries by its own clock is not a guard: the clock may differ from the verifiers', and
	// lost entries are accepted again. Copy the guard for Redis and Valkey in examples/redisguard.
	Remember(ctx context.Context, tag [16]byte, until time.Time) error
}

// NoReplayGuard remembers nothing, for tests and for checking a single request. A service that uses it accepts a
// captured request again within the window.
type NoReplayGuard struct{}

// Remember returns nil.
func (NoReplayGuard) Remember(context.Context, [16]byte, time.Time) error { return nil }
