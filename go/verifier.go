package cortexkey

// The verifier: finds the headers, takes the time, asks the replay guard last. It refuses to go on
// without a guard.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/purego"
)

// ReplayGuard remembers which requests were accepted, so that none is accepted twice.
type ReplayGuard interface {
	// Remember remembers a tag until a time, and says whether that is new: nil if so,
	// [VerdictReplayed] if the tag was known, any other error if that cannot be told, which refuses
	// the request. Look and remember in one step; in Redis that is SET tag 1 NX PXAT until.
	//
	// A tag names one use of one key, the same in every process. Only requests that are otherwise
	// good come here, so strangers cannot fill a guard.
	Remember(ctx context.Context, tag [16]byte, until time.Time) error
}

// Unguarded remembers nothing, for tests and for looking at one request by itself. A service that
// uses it can be replayed within the window.
type Unguarded struct{}

// Remember answers nil.
func (Unguarded) Remember(context.Context, [16]byte, time.Time) error { return nil }

// Verifier says whether requests are authentic. Any number of goroutines may use it at once.
type Verifier struct {
	clock    func() time.Time
	refused  func(*http.Request, error)
	guard    ReplayGuard
	skewMS   uint64
	lenient  bool
	mu       sync.RWMutex     // Close waits for those who verify
	verifier func() *verifier // nil once closed; a function, since fmt does not look into one
}

// Principal is who sent a request that was accepted.
type Principal struct {
	// KeyID is the id of the key.
	KeyID uint64
	// Level is the level of the key.
	Level Level
	// Expires is when the key expires; zero where it does not.
	Expires time.Time
	// Signed is when the client says it signed; zero with a Standard key.
	Signed time.Time
}

// NewVerifier returns a verifier of the keys of a keyring. The guard is asked about every Advanced
// request that is otherwise good; see [ReplayGuard].
func NewVerifier(ring *Keyring, guard ReplayGuard, opts ...VerifierOption) (*Verifier, error) {
	if guard == nil {
		return nil, fmt.Errorf("%w: NewVerifier(…, nil); without one every request can be sent again", ErrNilGuard)
	}
	v := &Verifier{clock: time.Now, refused: func(*http.Request, error) {}, guard: guard, skewMS: 60_000}
	for _, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("%w: an option is nil", ErrInvalidOption)
		}
		if err := opt(v); err != nil {
			return nil, err
		}
	}
	err := ring.open(func(keys *keyring) error {
		made, err := newVerifier(keys, guard, v.skewMS, v.lenient)
		v.verifier = func() *verifier { return made }
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// VerifierOption changes how a verifier works.
type VerifierOption func(*Verifier) error

// WithSkew lets a timestamp be off by up to 1 to 300 seconds, either way; 60 without it.
func WithSkew(skew time.Duration) VerifierOption {
	return func(v *Verifier) error {
		if skew < time.Second || skew > 300*time.Second {
			return fmt.Errorf("%w: WithSkew(%v); give 1 to 300 seconds", ErrInvalidOption, skew)
		}
		v.skewMS = uint64(skew.Milliseconds())
		return nil
	}
}

// WithLenientNonces takes nonces of 16 to 128 letters and digits; without it, of exactly 64.
func WithLenientNonces() VerifierOption {
	return func(v *Verifier) error {
		v.lenient = true
		return nil
	}
}

// WithVerifierClock takes the time from a function instead of [time.Now].
func WithVerifierClock(now func() time.Time) VerifierOption {
	return func(v *Verifier) error {
		if now == nil {
			return fmt.Errorf("%w: WithVerifierClock(nil); give a function such as time.Now", ErrInvalidOption)
		}
		v.clock = now
		return nil
	}
}

// WithRefusalLog has [Verifier.Middleware] call a function for each request that it refuses. The
// error is for the log; to the client every refusal looks the same.
func WithRefusalLog(log func(*http.Request, error)) VerifierOption {
	return func(v *Verifier) error {
		if log == nil {
			return fmt.Errorf("%w: WithRefusalLog(nil)", ErrInvalidOption)
		}
		v.refused = log
		return nil
	}
}

// Verify says whose request has these headers. A refusal is a [Verdict], which errors.Is finds by
// itself and as [ErrRefused]. It allocates nothing.
func (v *Verifier) Verify(ctx context.Context, header http.Header) (Principal, error) {
	var request purego.Request
	if !find(header, &request) {
		return Principal{}, refusals[VerdictDuplicateHeader]
	}
	principal, verdict := v.verify(&request)
	if verdict != VerdictAccept {
		if err, ok := refusals[verdict]; ok {
			return Principal{}, err
		}
		return Principal{}, v.failed(verdict)
	}
	if principal.RememberUntilMS != 0 {
		until := time.UnixMilli(int64(principal.RememberUntilMS))
		if err := v.guard.Remember(ctx, principal.Tag, until); err != nil {
			return Principal{}, guardError(err)
		}
	}
	accepted := Principal{KeyID: principal.KeyID, Level: Standard}
	if principal.Advanced {
		accepted.Level = Advanced
		accepted.Signed = time.UnixMilli(int64(principal.SignedMS))
	}
	if principal.ExpiresMS <= math.MaxInt64 {
		accepted.Expires = time.UnixMilli(int64(principal.ExpiresMS))
	}
	return accepted, nil
}

// Close frees what the verifier keeps, after those who are verifying are done; keyring and guard
// stay open. Closing again does nothing.
func (v *Verifier) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.verifier != nil {
		v.verifier().close()
		v.verifier = nil
	}
	return nil
}

// closedVerdict is no verdict.
const closedVerdict Verdict = math.MinInt32

func (v *Verifier) verify(request *purego.Request) (purego.Principal, Verdict) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.verifier == nil {
		return purego.Principal{}, closedVerdict
	}
	// Before 1970 no timestamp fits, and no key has expired.
	now := uint64(max(v.clock().UnixMilli(), 0))
	principal, verdict := v.verifier().verify(request, now)
	return principal, Verdict(verdict)
}

func (v *Verifier) failed(status Verdict) error {
	if status == closedVerdict {
		return fmt.Errorf("%w: the verifier", ErrClosed)
	}
	return fmt.Errorf("%w: status %d", ErrLibrary, int32(status))
}

// guardError says what a guard's error means: a verdict of its own, or that it is out of reach.
func guardError(err error) error {
	if errors.Is(err, ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", refusals[VerdictReplayGuardUnavailable], err)
}

// find finds the headers that authenticate a request, and says whether each is there once at most.
func find(header http.Header, request *purego.Request) bool {
	for name, values := range header {
		var place **string
		switch headerAt(name) {
		case keyIDAt:
			place = &request.KeyID
		case authorizationAt:
			place = &request.Authorization
		case nonceAt:
			place = &request.Nonce
		case timestampAt:
			place = &request.Timestamp
		default:
			continue
		}
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 || *place != nil {
			return false
		}
		*place = &values[0]
	}
	return true
}

// refusals are the verdicts as errors, made once.
var refusals = func() map[Verdict]error {
	refusals := map[Verdict]error{}
	for verdict := range verdicts {
		if verdict != VerdictAccept {
			refusals[verdict] = verdict
		}
	}
	return refusals
}()
