//go:build cgo

package lib_test

// Tests the library through the types of package cortexkey, and that both backends give the same
// results.

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/library"
	"github.com/cortexkey/cortexkey/go/internal/purego"
	"github.com/cortexkey/cortexkey/go/lib"
)

const (
	testKey = "hK7Vd2mQ9xZt4LpR8cWb"
	nowMS   = 1_790_611_732_512
)

var testNonce = strings.Repeat("n", backend.NonceBytes)

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func errOf[T any](_ T, err error) error { return err }

func vectors(t testing.TB) (all struct {
	Signing []struct {
		KeyID         uint64 `json:"key_id"`
		Level, Key    string
		Nonce         *string
		TimestampMS   *int64 `json:"timestamp_ms"`
		Authorization string
	}
	Verifying []struct {
		NowMS   int64 `json:"now_ms"`
		Request map[string]any
	}
}) {
	text := must(os.ReadFile("../testdata/auth.json"))(t)
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVectors(t *testing.T) {
	all := vectors(t).Signing
	if len(all) < 65 {
		t.Fatalf("only %d", len(all))
	}
	for _, v := range all {
		level := must(cortexkey.ParseLevel(v.Level))(t)
		signer := must(lib.NewSigner(v.KeyID, level, v.Key))(t)
		nonce, ms := "", int64(0)
		if v.Nonce != nil {
			nonce, ms = *v.Nonce, *v.TimestampMS
		}
		headers, err := signer.HeadersAt(nonce, ms)
		if err != nil || headers.Authorization() != v.Authorization {
			t.Errorf("%+v: %v", v, err)
		}
		_ = signer.Close()
	}
}

// Signatures of batches of every size equal those that Go computes from their nonces and times.
func TestBatches(t *testing.T) {
	theirs := must(lib.NewSigner(7, cortexkey.Advanced, []byte(testKey)))(t)
	defer theirs.Close()
	ours := must(cortexkey.NewSigner(7, cortexkey.Advanced, testKey))(t)
	seen := map[string]bool{}
	for _, count := range []int{0, 1, 2, 15, 16, 17, 63, 64, 65, 128, 300} {
		batch := make([]cortexkey.Signature, count)
		if err := theirs.SignBatch(batch); err != nil {
			t.Fatal(err)
		}
		for i := range batch {
			ms := int64(0)
			for _, digit := range batch[i].Timestamp() {
				ms = ms*10 + int64(digit-'0')
			}
			want, err := ours.HeadersAt(string(batch[i].Nonce()), ms)
			if err != nil || want.Authorization() != string(batch[i].Authorization()) || seen[want.Nonce()] {
				t.Fatalf("%d of %d: %v", i, count, err)
			}
			seen[want.Nonce()] = true
		}
	}
	one := cortexkey.Signature{}
	if allocations := testing.AllocsPerRun(100, func() { _ = theirs.Sign(&one) }); allocations > 0 && !instrumented {
		t.Errorf("%v allocations", allocations)
	}
}

func TestOptionsAndErrors(t *testing.T) {
	clock := cortexkey.WithClock(func() time.Time { return time.UnixMilli(nowMS) })
	signer := must(lib.NewSigner(7, cortexkey.Advanced, testKey, clock, cortexkey.WithChildTenant("child")))(t)
	headers, err := signer.Headers()
	if err != nil || headers.Timestamp() != "1790611732512" || headers.ChildTenant() != "child" {
		t.Errorf("%v %v", headers.Timestamp(), err)
	}
	standard := must(lib.NewSigner(7, cortexkey.Standard, testKey))(t)
	if headers, err := standard.Headers(); err != nil || headers.Authorization() != testKey {
		t.Error(err)
	}
	if err := errOf(lib.NewSigner(7, cortexkey.Advanced, "a key")); !errors.Is(err, cortexkey.ErrInvalidKey) {
		t.Error(err)
	}
	for range 2 {
		_ = signer.Close()
	}
	if err := errOf(signer.Headers()); !errors.Is(err, cortexkey.ErrClosed) {
		t.Error(err)
	}
	if !strings.HasPrefix(lib.Version(), "C library ") {
		t.Error(lib.Version())
	}
}

func signed(t testing.TB, keyID uint64, nonce string, ms int64) http.Header {
	signer := must(cortexkey.NewSigner(keyID, cortexkey.Advanced, testKey))(t)
	headers := must(signer.HeadersAt(nonce, ms))(t)
	header := http.Header{}
	if err := headers.Set(header); err != nil {
		t.Fatal(err)
	}
	return header
}

func newKeyring(t testing.TB, made *cortexkey.Keyring, err error) *cortexkey.Keyring {
	keyring := must(made, err)(t)
	t.Cleanup(func() { _ = keyring.Close() })
	for id := uint64(1); id <= 10; id++ {
		if err := keyring.Put(id, cortexkey.Advanced, testKey); err != nil {
			t.Fatal(err)
		}
	}
	return keyring
}

func libKeyring(t testing.TB) *cortexkey.Keyring {
	keyring, err := lib.NewKeyring()
	return newKeyring(t, keyring, err)
}

func pureKeyring(t testing.TB) *cortexkey.Keyring {
	keyring, err := cortexkey.NewKeyring()
	return newKeyring(t, keyring, err)
}

func at(ms *int64) cortexkey.VerifierOption {
	return cortexkey.WithVerifierClock(func() time.Time { return time.UnixMilli(*ms) })
}

func TestAMemoryGuardAcceptsOnce(t *testing.T) {
	keyring := libKeyring(t)
	guard := must(lib.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 1000, First: true}))(t)
	now := int64(nowMS)
	verifier := must(cortexkey.NewVerifier(keyring, guard, at(&now)))(t)
	// The verifier keeps its own references.
	_, _ = guard.Close(), keyring.Close()
	header := signed(t, 7, testNonce, nowMS)
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 100 {
				if _, err := verifier.Verify(t.Context(), header); err == nil {
					accepted.Add(1)
				} else if !errors.Is(err, cortexkey.VerdictReplayed) {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	if accepted.Load() != 1 {
		t.Errorf("accepted %d times", accepted.Load())
	}
	_ = verifier.Close()
	if err := errOf(verifier.Verify(t.Context(), header)); !errors.Is(err, cortexkey.ErrClosed) {
		t.Error(err)
	}
}

func TestMemoryGuardsOfTheLibrary(t *testing.T) {
	if err := errOf(lib.NewMemoryGuard(cortexkey.MemoryGuardConfig{})); !errors.Is(err, cortexkey.ErrInvalidOption) {
		t.Error(err)
	}
	guard := must(lib.NewMemoryGuard(cortexkey.MemoryGuardConfig{
		Entries: 10, Started: time.UnixMilli(nowMS), Skew: time.Second, UsesPerKey: 1, Keys: 1,
	}))(t)
	if err := guard.Remember(t.Context(), [16]byte{}, time.Now()); !errors.Is(err, cortexkey.ErrRefused) {
		t.Error(err)
	}
	if err := errOf(cortexkey.NewVerifier(pureKeyring(t), guard)); !errors.Is(err, cortexkey.ErrInvalidGuard) {
		t.Error(err)
	}
	for range 2 {
		_ = guard.Close()
	}
	_, _ = (*lib.MemoryGuard)(nil).Close(), guard.Close()
	if err := errOf(cortexkey.NewVerifier(libKeyring(t), guard)); !errors.Is(err, cortexkey.ErrClosed) {
		t.Error(err)
	}
}

// A guard of package cortexkey also works with keyrings of the library, and knows when their keys
// were created.
func TestAGuardInGoForTheLibrary(t *testing.T) {
	keyring := libKeyring(t)
	started := time.UnixMilli(nowMS)
	guard := must(cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 10, Started: started}))(t)
	now := int64(nowMS)
	verifier := must(cortexkey.NewVerifier(keyring, guard, at(&now)))(t)
	defer verifier.Close()
	verify := func(want error) {
		t.Helper()
		if err := errOf(verifier.Verify(t.Context(), signed(t, 7, testNonce, nowMS))); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	verify(cortexkey.VerdictReplayGuardStarting)
	if err := keyring.Put(7, cortexkey.Advanced, testKey, cortexkey.CreatedAt(started)); err != nil {
		t.Fatal(err)
	}
	verify(nil)
	verify(cortexkey.VerdictReplayed)
}

func TestComparing(t *testing.T) {
	load := func(name string) (theirs, ours *cortexkey.Definitions) {
		bytes := must(os.ReadFile("../testdata/definitions/" + name))(t)
		return must(lib.LoadDefinitions(bytes))(t), must(cortexkey.LoadDefinitions(bytes))(t)
	}
	before, _ := load("before.ckc")
	after, ours := load("after.ckc")
	gains, err := lib.Compare(before, after)
	if err != nil || len(gains) != 6 {
		t.Error(gains, err)
	}
	isNewKey := func(gain lib.Gain) bool { return gain.Code == "new-key" && gain.Key == "old/lab" && gain.Message != "" }
	if !slices.ContainsFunc(gains, isNewKey) {
		t.Error(gains)
	}
	if gains, err := lib.Compare(after, after); err != nil || len(gains) != 0 {
		t.Error(gains, err)
	}
	if err := errOf(lib.Compare(after, ours)); !usesLibrary(ours) && !errors.Is(err, cortexkey.ErrInvalidDefinitions) {
		t.Error(err)
	}
	_ = before.Close()
	for _, test := range []struct {
		before *cortexkey.Definitions
		want   error
	}{{before, cortexkey.ErrClosed}, {nil, cortexkey.ErrNil}} {
		if err := errOf(lib.Compare(test.before, after)); !errors.Is(err, test.want) {
			t.Error(err)
		}
	}
}

// usesLibrary reports whether definitions use the library, which all do with the build tag
// cortexkey_cgo.
func usesLibrary(*cortexkey.Definitions) bool { return cortexkey.Backend() != "pure Go" }

// FuzzBothVerifiers compares Go's verifier with the library's.
func FuzzBothVerifiers(f *testing.F) {
	for _, v := range vectors(f).Verifying {
		header := http.Header{}
		for name, value := range v.Request {
			if text, ok := value.(string); ok {
				header.Set(name, text)
			}
		}
		f.Add(header.Get(cortexkey.HeaderKeyID), header.Get(cortexkey.HeaderAuthorization),
			header.Get(cortexkey.HeaderNonce), header.Get(cortexkey.HeaderTimestamp), uint8(15), v.NowMS)
	}
	good := signed(f, 7, testNonce, nowMS)
	f.Add("7", good.Get(cortexkey.HeaderAuthorization), testNonce, good.Get(cortexkey.HeaderTimestamp), uint8(15), int64(nowMS))
	f.Add("8", testKey, "", "", uint8(3), int64(nowMS))
	theirs, ours := must(library.NewKeyring())(f), purego.NewKeyring()
	for _, key := range []backend.Key{
		{ID: 7, Advanced: true, ExpiresMS: purego.Never}, {ID: 8, ExpiresMS: purego.Never},
		{ID: 9, Advanced: true, ExpiresMS: nowMS}, {ID: 10, ExpiresMS: nowMS, Revoked: true},
	} {
		for _, keyring := range []backend.Keyring{theirs, ours} {
			if err := keyring.Put(key, []byte(testKey)); err != nil {
				f.Fatal(err)
			}
		}
	}
	var verifiers [2][2]backend.Verifier
	for i, lenient := range []bool{false, true} {
		verifiers[i] = [2]backend.Verifier{must(theirs.Verifier(nil, 60_000, lenient))(f), must(ours.Verifier(nil, 60_000, lenient))(f)}
	}
	f.Fuzz(func(t *testing.T, id, authorization, nonce, timestamp string, has uint8, nowMS int64) {
		var r backend.Request
		for i, place := range []struct {
			at   **string
			text *string
		}{{&r.KeyID, &id}, {&r.Authorization, &authorization}, {&r.Nonce, &nonce}, {&r.Timestamp, &timestamp}} {
			if has&(1<<i) != 0 {
				*place.at = place.text
			}
		}
		now := uint64(max(nowMS, 0))
		for _, both := range verifiers {
			want, wantVerdict := both[0].Verify(r, now)
			got, gotVerdict := both[1].Verify(r, now)
			if got != want || gotVerdict != wantVerdict {
				t.Errorf("library %d %+v, Go %d %+v", wantVerdict, want, gotVerdict, got)
			}
		}
	})
}

// FuzzBothSigners compares Go's digests with the library's.
func FuzzBothSigners(f *testing.F) {
	f.Add([]byte(testKey), []byte(testNonce), int64(nowMS))
	f.Fuzz(func(t *testing.T, key, nonce []byte, ms int64) {
		signer, err := lib.NewSigner(7, cortexkey.Advanced, key)
		if err != nil {
			return
		}
		defer signer.Close()
		want, err := signer.HeadersAt(string(nonce), ms)
		if err != nil {
			return
		}
		midstate := must(purego.NewMidstate(key))(t)
		var digest [purego.DigestBytes]byte
		timestamp := [purego.TimestampBytes]byte([]byte(want.Timestamp()))
		err = midstate.SignWith(&timestamp, (*[purego.NonceBytes]byte)(nonce), &digest)
		if err != nil || string(digest[:]) != want.Authorization() {
			t.Errorf("%v: %s, not %s", err, digest, want.Authorization())
		}
	})
}

func BenchmarkVerifyWithMemoryGuard(b *testing.B) {
	guard := must(lib.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 1_000_000, First: true}))(b)
	defer guard.Close()
	now := int64(nowMS)
	verifier := must(cortexkey.NewVerifier(libKeyring(b), guard, at(&now)))(b)
	defer verifier.Close()
	header := signed(b, 7, testNonce, nowMS)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = verifier.Verify(b.Context(), header)
	}
}

func benchSigner(b *testing.B) *cortexkey.Signer {
	signer := must(lib.NewSigner(7, cortexkey.Advanced, strings.Repeat("DCdIeow0xm73EwnxjPza1tdHTfZQv2eH", 4)))(b)
	b.Cleanup(func() { _ = signer.Close() })
	return signer
}

func BenchmarkSign(b *testing.B) {
	signer := benchSigner(b)
	var s cortexkey.Signature
	b.ReportAllocs()
	for b.Loop() {
		_ = signer.Sign(&s)
	}
}

func BenchmarkSignBatch64(b *testing.B) {
	signer := benchSigner(b)
	batch := make([]cortexkey.Signature, 64)
	b.ReportAllocs()
	for b.Loop() {
		_ = signer.SignBatch(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/signature")
}
