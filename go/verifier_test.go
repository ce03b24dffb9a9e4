package cortexkey

// The verifier: known answers, changing keys, guards, the middleware, and allocations.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"
)

// verifying is a case of the vectors for verification.
type verifying struct {
	Name   string
	Stored *struct {
		KeyID     uint64 `json:"key_id"`
		Key       string
		Level     string
		ExpiresMS *int64 `json:"expires_ms"`
		Revoked   bool
	}
	NowMS   int64 `json:"now_ms"`
	SkewMS  int64 `json:"skew_ms"`
	Request map[string]any
	Verdict string
}

func verifyingVectors(t testing.TB) []verifying {
	text, err := os.ReadFile("testdata/auth.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Verifying []verifying }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Verifying) < 92 {
		t.Fatalf("only %d", len(all.Verifying))
	}
	return all.Verifying
}

func TestVerifyingVectors(t *testing.T) {
	for _, v := range verifyingVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			ring := newTestKeyring(t)
			if s := v.Stored; s != nil {
				level, _ := ParseLevel(s.Level)
				opts := []KeyOption{}
				if s.ExpiresMS != nil {
					opts = append(opts, ExpiresAt(time.UnixMilli(*s.ExpiresMS)))
				}
				if s.Revoked {
					opts = append(opts, Revoked())
				}
				if err := ring.Put(s.KeyID, level, s.Key, opts...); err != nil {
					t.Fatal(err)
				}
			}
			verifier := newTestVerifier(t, ring, v.NowMS, WithSkew(time.Duration(v.SkewMS)*time.Millisecond))
			principal, err := verifier.Verify(t.Context(), v.header())
			got := "accept"
			var verdict Verdict
			if errors.As(err, &verdict) {
				got = verdict.String()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != v.Verdict {
				t.Errorf("got %s, want %s", got, v.Verdict)
			}
			if accepted := principal.KeyID != 0; accepted != (err == nil) {
				t.Errorf("%+v beside %v", principal, err)
			}
		})
	}
}

// header returns the headers in net/http's form; each code point is a byte.
func (v *verifying) header() http.Header {
	header := http.Header{}
	for name, value := range v.Request {
		values, ok := value.([]any)
		if !ok {
			values = []any{value}
		}
		for _, value := range values {
			var bytes []byte
			for _, r := range value.(string) {
				bytes = append(bytes, byte(r))
			}
			header[name] = append(header[name], string(bytes))
		}
	}
	return header
}

func newTestKeyring(t testing.TB) *Keyring {
	ring, err := NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ring.Close() })
	return ring
}

func newTestVerifier(t testing.TB, ring *Keyring, nowMS int64, opts ...VerifierOption) *Verifier {
	opts = append(opts, WithVerifierClock(func() time.Time { return time.UnixMilli(nowMS) }))
	verifier, err := NewVerifier(ring, NoReplayGuard{}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = verifier.Close() })
	return verifier
}

func signed(t testing.TB, level Level) http.Header {
	headers, err := newTestSigner(t, level).HeadersAt(testNonce, timestampMin)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	headers.Set(header)
	return header
}

func TestKeysChangeWhileOthersVerify(t *testing.T) {
	ring := newTestKeyring(t)
	verifier := newTestVerifier(t, ring, timestampMin)
	header := signed(t, Advanced)
	want := func(want error) {
		t.Helper()
		if _, err := verifier.Verify(t.Context(), header); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	want(VerdictUnknownKey)
	for _, step := range []struct {
		do   func() error
		want error
	}{
		{func() error { return ring.Put(7, Advanced, "another") }, VerdictWrongSignature},
		{func() error { return ring.Put(7, Standard, testKey) }, VerdictLevelMismatch},
		{func() error { return ring.Put(7, Advanced, testKey, ExpiresAt(time.UnixMilli(timestampMin))) }, VerdictKeyExpired},
		{func() error { return ring.Put(7, Advanced, testKey) }, nil},
		{func() error { return ring.Revoke(7) }, VerdictKeyRevoked},
		{func() error { return ring.Remove(7) }, VerdictUnknownKey},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		want(step.want)
	}
	for _, err := range []error{ring.Revoke(7), ring.Remove(7)} {
		if !errors.Is(err, ErrUnknownKey) {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 500 {
				if i == 0 {
					_ = ring.Put(7, Advanced, testKey)
					_ = ring.Remove(7)
				} else if _, err := verifier.Verify(t.Context(), header); err != nil && !errors.Is(err, VerdictUnknownKey) {
					t.Error(err)
					return
				}
			}
		}()
	}
	all.Wait()
}

func TestPutRefuses(t *testing.T) {
	ring := newTestKeyring(t)
	for _, test := range []struct{ got, want error }{
		{ring.Put(0, Advanced, testKey), ErrInvalidKeyID},
		{ring.Put(7, 0, testKey), ErrInvalidLevel},
		{ring.Put(7, Advanced, ""), ErrInvalidKey},
		{ring.Put(7, Advanced, testKey+"\n"), ErrInvalidKey},
		{ring.Put(7, Advanced, testKey, nil), ErrInvalidOption},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}

// setGuard is a guard that a user might write.
type setGuard struct {
	mu   sync.Mutex
	seen map[[16]byte]time.Time
	err  error
}

func (g *setGuard) Remember(_ context.Context, tag [16]byte, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.seen[tag]; ok {
		return VerdictReplayed
	}
	g.seen[tag] = until
	return g.err
}

func TestCustomGuard(t *testing.T) {
	ring := newTestKeyring(t)
	for id, level := range map[uint64]Level{7: Advanced, 8: Standard} {
		if err := ring.Put(id, level, testKey); err != nil {
			t.Fatal(err)
		}
	}
	guard := &setGuard{seen: map[[16]byte]time.Time{}}
	now := WithVerifierClock(func() time.Time { return time.UnixMilli(timestampMin) })
	verifier, err := NewVerifier(ring, guard, now)
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	header := signed(t, Advanced)
	for _, want := range []error{nil, VerdictReplayed, ErrRefused} {
		if _, err := verifier.Verify(t.Context(), header); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	// The tag is the same in every language: 128 bits of SHA-256 over the id and the digest.
	want := [16]byte{0x9b, 0x63, 0x7d, 0x42, 0x20, 0xfe, 0x31, 0x9b, 0xbc, 0x70, 0xa9, 0x4c, 0x4d, 0x9a, 0xd0, 0xab}
	if until, ok := guard.seen[want]; !ok || until.UnixMilli() != timestampMin+60_000 {
		t.Errorf("%x", guard.seen)
	}
	guard.seen, guard.err = map[[16]byte]time.Time{}, errors.New("connection refused")
	if _, err := verifier.Verify(t.Context(), header); !errors.Is(err, VerdictReplayGuardUnavailable) || !errors.Is(err, guard.err) {
		t.Error(err)
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	ring := newTestKeyring(t)
	closed := newTestKeyring(t)
	_ = closed.Close()
	for _, test := range []struct {
		ring  *Keyring
		guard ReplayGuard
		opts  []VerifierOption
		want  error
	}{
		{ring, nil, nil, ErrNilGuard},
		{ring, NoReplayGuard{}, []VerifierOption{nil}, ErrInvalidOption},
		{ring, NoReplayGuard{}, []VerifierOption{WithSkew(time.Millisecond)}, ErrInvalidOption},
		{ring, NoReplayGuard{}, []VerifierOption{WithSkew(time.Hour)}, ErrInvalidOption},
		{ring, NoReplayGuard{}, []VerifierOption{WithVerifierClock(nil)}, ErrInvalidOption},
		{ring, NoReplayGuard{}, []VerifierOption{WithRefusalLog(nil)}, ErrInvalidOption},
		{closed, NoReplayGuard{}, nil, ErrClosed},
	} {
		if _, err := NewVerifier(test.ring, test.guard, test.opts...); !errors.Is(err, test.want) {
			t.Errorf("got %v, want %v", err, test.want)
		}
	}
	verifier := newTestVerifier(t, ring, timestampMin)
	_ = verifier.Close()
	if _, err := verifier.Verify(t.Context(), signed(t, Standard)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestMiddleware(t *testing.T) {
	ring := newTestKeyring(t)
	if err := ring.Put(7, Advanced, testKey, ExpiresAt(time.UnixMilli(timestampMin+1))); err != nil {
		t.Fatal(err)
	}
	var logged []error
	verifier := newTestVerifier(t, ring, timestampMin, WithRefusalLog(func(_ *http.Request, err error) { logged = append(logged, err) }))
	handler := verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, ok := PrincipalFrom(r.Context())
		fmt.Fprintf(w, "%v %d %v %d %d", ok, principal.KeyID, principal.Level, principal.Signed.UnixMilli(), principal.Expires.UnixMilli())
	}))
	ask := func(header http.Header) *httptest.ResponseRecorder {
		request := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		request.Header = header
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder
	}
	if got := ask(signed(t, Advanced)); got.Body.String() != fmt.Sprintf("true 7 advanced %d %d", int64(timestampMin), int64(timestampMin+1)) {
		t.Error(got.Body)
	}
	wrong := signed(t, Advanced)
	wrong.Set(HeaderNonce, testNonce[1:]+"x")
	first := ask(http.Header{})
	second := ask(wrong)
	if first.Code != 401 || first.Body.String() != second.Body.String() || len(logged) != 2 {
		t.Errorf("%d %s, %s, %v", first.Code, first.Body, second.Body, logged)
	}
	if !errors.Is(logged[0], VerdictMissingHeader) || !errors.Is(logged[1], VerdictWrongSignature) {
		t.Error(logged)
	}
	if _, ok := PrincipalFrom(t.Context()); ok {
		t.Error("a principal out of nowhere")
	}
}

func TestVerifyingAllocatesNothing(t *testing.T) {
	ring := newTestKeyring(t)
	for _, level := range []Level{Standard, Advanced} {
		if err := ring.Put(7, level, testKey); err != nil {
			t.Fatal(err)
		}
		verifier, header := newTestVerifier(t, ring, timestampMin), signed(t, level)
		header.Set("User-Agent", "somebody")
		allocations := testing.AllocsPerRun(1000, func() {
			if _, err := verifier.Verify(context.Background(), header); err != nil {
				t.Fatal(err)
			}
		})
		if !instrumented && allocations != 0 {
			t.Errorf("%s, %v: %v allocations", Backend(), level, allocations)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	ring := newTestKeyring(b)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		b.Fatal(err)
	}
	verifier, header := newTestVerifier(b, ring, timestampMin), signed(b, Advanced)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = verifier.Verify(context.Background(), header)
	}
}
