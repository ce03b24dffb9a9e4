package cortexkey

// The verifier: it finds the headers, reads the clock, and calls the replay guard last.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Verifier verifies requests. Any number of goroutines may use it at once.
type Verifier struct {
	clock    func() time.Time
	refused  func(*http.Request, error)
	guard    ReplayGuard
	skewMS   uint64
	lenient  bool
	mu       sync.RWMutex            // Close waits for running calls
	verifier func() backend.Verifier // nil once closed; a function, since fmt does not look into one
}

// Principal is the sender of a request that was accepted.
type Principal struct {
	// KeyID is the id of the key.
	KeyID uint64
	// Level is the level of the key.
	Level Level
	// Expires is when the key expires; zero if it does not.
	Expires time.Time
	// Signed is the request's timestamp; zero with a Standard key.
	Signed time.Time
}

// NewVerifier returns a verifier for the keys of a keyring. It checks every Advanced request that
// is otherwise valid with the guard; see [ReplayGuard] and [NewMemoryGuard]. The keyring and the
// guard may be closed before the verifier. Errors are [ErrNilGuard], [ErrInvalidGuard],
// [ErrInvalidOption], [ErrNil] and [ErrClosed].
func NewVerifier(ring *Keyring, guard ReplayGuard, opts ...VerifierOption) (*Verifier, error) {
	if isNil(guard) {
		return nil, fmt.Errorf("%w: NewVerifier(…, nil); without a guard every request can be sent again", ErrNilGuard)
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
	if ours, ok := guard.(*MemoryGuard); ok {
		if err := ours.serves(v.skewMS); err != nil {
			return nil, err
		}
	}
	own, _ := guard.(backend.LibraryGuard)
	err := ring.open(func(keys backend.Keyring) error {
		made, err := keys.Verifier(own, v.skewMS, v.lenient)
		v.verifier = func() backend.Verifier { return made }
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// isNil reports whether an interface is nil or holds a nil pointer or function.
func isNil(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
}

// VerifierOption configures a verifier.
type VerifierOption func(*Verifier) error

// WithSkew sets how far a timestamp may differ from the clock in either direction: 1 to 300 seconds, 60 by
// default.
func WithSkew(skew time.Duration) VerifierOption {
	return func(v *Verifier) error {
		if skew < time.Second || skew > 300*time.Second {
			return fmt.Errorf("%w: WithSkew(%v); give 1 to 300 seconds", ErrInvalidOption, skew)
		}
		v.skewMS = uint64(skew.Milliseconds())
		return nil
	}
}

// WithLenientNonces accepts nonces of 16 to 128 letters and digits, instead of exactly 64.
func WithLenientNonces() VerifierOption {
	return func(v *Verifier) error {
		v.lenient = true
		return nil
	}
}

// WithVerifierClock uses a function instead of [time.Now].
func WithVerifierClock(now func() time.Time) VerifierOption {
	return func(v *Verifier) error {
		if now == nil {
			return fmt.Errorf("%w: WithVerifierClock(nil); give a function such as time.Now", ErrInvalidOption)
		}
		v.clock = now
		return nil
	}
}

// WithRefusalLog makes [Verifier.Middleware] call a function for each refused request. The error is for your
// log; clients always see the same refusal.
func WithRefusalLog(log func(*http.Request, error)) VerifierOption {
	return func(v *Verifier) error {
		if log == nil {
			return fmt.Errorf("%w: WithRefusalLog(nil); give a function that logs", ErrInvalidOption)
		}
		v.refused = log
		return nil
	}
}

// Verify verifies a request's headers and returns its sender, without allocating. A refusal is a [Verdict],
// which matches errors.Is with itself and with [ErrRefused].
func (v *Verifier) Verify(ctx context.Context, header http.Header) (Principal, error) {
	var request backend.Request
	if !find(header, &request) {
		return Principal{}, refusals[VerdictDuplicateHeader]
	}
	principal, nowMS, verdict := v.verify(request)
	return v.conclude(ctx, &principal, nowMS, verdict)
}

// Outcome is what [Verifier.Verify] returns for one request of a batch.
type Outcome struct {
	// Principal is the sender; zero if the request was refused.
	Principal Principal
	// Err is nil, or why the request was refused.
	Err error
}

// VerifyBatch verifies many requests in order, all at the same time of the clock. If two Advanced requests
// are identical, only the first is accepted. Each outcome is what [Verifier.Verify] would return. With the C
// library, one call verifies 64 requests and computes their hashes together.
func (v *Verifier) VerifyBatch(ctx context.Context, headers []http.Header) []Outcome {
	outcomes := make([]Outcome, len(headers))
	requests := make([]backend.Request, 0, len(headers))
	indices := make([]int, 0, len(headers)) // of each request in headers
	for i, header := range headers {
		var request backend.Request
		if !find(header, &request) {
			outcomes[i].Err = refusals[VerdictDuplicateHeader]
			continue
		}
		requests, indices = append(requests, request), append(indices, i)
	}
	verified := make([]backend.Outcome, len(requests))
	nowMS := v.verifyBatch(requests, verified)
	for i := range verified {
		principal, err := v.conclude(ctx, &verified[i].Principal, nowMS, Verdict(verified[i].Verdict))
		outcomes[indices[i]] = Outcome{principal, err}
	}
	return outcomes
}

// conclude calls the guard for a request that is otherwise valid, and returns its sender.
func (v *Verifier) conclude(ctx context.Context, principal *backend.Principal, nowMS uint64, verdict Verdict) (Principal, error) {
	if verdict != VerdictAccept {
		if err, ok := refusals[verdict]; ok {
			return Principal{}, err
		}
		return Principal{}, v.failed(verdict)
	}
	if principal.RememberUntilMS != 0 {
		if err := v.remember(ctx, principal, nowMS); err != nil {
			return Principal{}, err
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

// Close waits for running calls and frees the verifier; keyring and guard stay open. Closing again does
// nothing.
func (v *Verifier) Close() error {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.verifier != nil {
		v.verifier().Close()
		v.verifier = nil
	}
	return nil
}

// closedVerdict is an internal status: the verifier is nil or closed.
const closedVerdict Verdict = math.MinInt32

func (v *Verifier) verify(request backend.Request) (backend.Principal, uint64, Verdict) {
	if v == nil {
		return backend.Principal{}, 0, closedVerdict
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.verifier == nil {
		return backend.Principal{}, 0, closedVerdict
	}
	// A clock before 1970 counts as 1970: every timestamp is then in the future, and no key has
	// expired.
	now := uint64(max(v.clock().UnixMilli(), 0))
	principal, verdict := v.verifier().Verify(request, now)
	return principal, now, Verdict(verdict)
}

func (v *Verifier) verifyBatch(requests []backend.Request, outcomes []backend.Outcome) uint64 {
	if v != nil {
		v.mu.RLock()
		defer v.mu.RUnlock()
	}
	if v == nil || v.verifier == nil {
		for i := range outcomes {
			outcomes[i].Verdict = int32(closedVerdict)
		}
		return 0
	}
	now := uint64(max(v.clock().UnixMilli(), 0))
	v.verifier().VerifyBatch(requests, now, outcomes)
	return now
}

func (v *Verifier) failed(status Verdict) error {
	switch {
	case v == nil:
		return fmt.Errorf("%w: *Verifier; NewVerifier returns one", ErrNil)
	case status == closedVerdict:
		return fmt.Errorf("%w: the verifier", ErrClosed)
	}
	return fmt.Errorf("%w: status %d", ErrLibrary, int32(status))
}

// remember calls the guard for a request that is otherwise valid.
func (v *Verifier) remember(ctx context.Context, p *backend.Principal, nowMS uint64) error {
	if ours, ok := v.guard.(*MemoryGuard); ok {
		if verdict := ours.remember(p, nowMS, v.skewMS); verdict != VerdictAccept {
			return refusals[verdict]
		}
		return nil
	}
	until := time.UnixMilli(int64(p.RememberUntilMS))
	if err := v.guard.Remember(ctx, p.Tag, until); err != nil {
		return guardError(err)
	}
	return nil
}

// guardError returns a guard's verdict, or wraps any other error: the guard is unavailable.
func guardError(err error) error {
	if errors.Is(err, ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", refusals[VerdictReplayGuardUnavailable], err)
}

// find finds the authentication headers, and reports whether each occurs at most once.
func find(header http.Header, request *backend.Request) bool {
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
