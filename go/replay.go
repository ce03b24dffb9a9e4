package cortexkey

// What stands between a captured request and its second acceptance.

import (
	"context"
	"time"
)

// ReplayGuard remembers which requests were accepted, so that none is accepted twice. [MemoryGuard] is
// one for a single process; several processes need one that they share.
type ReplayGuard interface {
	// Remember remembers a tag until a time and reports whether it is new: nil if so,
	// [VerdictReplayed] if the tag was known. Any other error means that the guard cannot tell, which
	// refuses the request. It must look and remember in one step.
	//
	// A tag names one use of one key, the same in every process. Only requests that are otherwise
	// good come here, so unauthenticated clients cannot fill a guard.
	//
	// A store that lets entries expire by its own clock is no guard: the clock may differ from the
	// verifiers', and what the store lost is accepted again. The package examples/redisguard has a
	// guard for Redis and Valkey, to copy.
	Remember(ctx context.Context, tag [16]byte, until time.Time) error
}

// Unguarded remembers nothing, for tests and for looking at one request by itself. A service that
// uses it accepts a captured request again within the window.
type Unguarded struct{}

// Remember returns nil.
func (Unguarded) Remember(context.Context, [16]byte, time.Time) error { return nil }
