package cortexkey

// The in-memory replay guard, through a verifier; internal/replay compares it with a model.

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestMemoryGuardConfigs(t *testing.T) {
	now := time.Now()
	for _, config := range []MemoryGuardConfig{
		{}, {First: true}, {Entries: -1, First: true}, {Entries: 1}, {Entries: MemoryGuardEntriesMax + 1, First: true},
		{Entries: 1, Started: now, Skew: time.Hour}, {Entries: 1, Started: now, Skew: -1 * time.Second},
		{Entries: 1, Started: now, UsesPerKey: 1}, {Entries: 1, Started: now, Keys: 1}, {Entries: 1, Started: now, First: true},
		{Entries: 1, Started: time.UnixMilli(0)}, {Entries: 1, First: true, UsesPerKey: -1, Keys: 1},
		{Entries: 1, First: true, UsesPerKey: 1, Keys: MemoryGuardKeysMax + 1}, {Entries: 1, First: true, UsesPerKey: 1, Keys: -1},
	} {
		if guard, err := NewMemoryGuard(config); !errors.Is(err, ErrInvalidOption) || guard != nil {
			t.Errorf("%+v: %v", config, err)
		}
	}
	guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 1, Started: now, Skew: time.Second, UsesPerKey: 1, Keys: 1})
	if err != nil || guard.GuaranteedUsesPerKey() != 1 {
		t.Fatal(err)
	}
	if err := guard.Remember(t.Context(), [16]byte{}, now); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	ring := newTestKeyring(t)
	if err := errOf(NewVerifier(ring, guard)); !errors.Is(err, ErrInvalidOption) {
		t.Errorf("a larger skew than the guard's: %v", err)
	}
	if _, err := NewVerifier(ring, guard, WithSkew(time.Second)); err != nil {
		t.Error(err)
	}
}

func newGuardedVerifier(t testing.TB, config MemoryGuardConfig, clock func() time.Time) *Verifier {
	ring := newTestKeyring(t)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		t.Fatal(err)
	}
	guard, err := NewMemoryGuard(config)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := NewVerifier(ring, guard, WithVerifierClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = verifier.Close() })
	return verifier
}

func TestAMemoryGuardAcceptsOnce(t *testing.T) {
	clock := func() time.Time { return time.UnixMilli(timestampMin) }
	verifier := newGuardedVerifier(t, MemoryGuardConfig{Entries: 1000, First: true}, clock)
	header := signed(t, Advanced)
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 100 {
				if _, err := verifier.Verify(t.Context(), header); err == nil {
					accepted.Add(1)
				} else if !errors.Is(err, VerdictReplayed) {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	if accepted.Load() != 1 {
		t.Errorf("accepted %d times", accepted.Load())
	}
}

// A batch of requests signed within one millisecond is accepted up to the guard's entries.
func TestABurst(t *testing.T) {
	const entries = 8000
	clock := func() time.Time { return time.UnixMilli(timestampMin) }
	verifier := newGuardedVerifier(t, MemoryGuardConfig{Entries: entries, First: true}, clock)
	signer := newTestSigner(t, Advanced, WithClock(clock))
	for i := range entries {
		request := http.Request{}
		if err := signer.SignRequest(&request); err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(t.Context(), request.Header); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
}

func TestAQuotaHasItsVerdict(t *testing.T) {
	clock := func() time.Time { return time.UnixMilli(timestampMin) }
	verifier := newGuardedVerifier(t, MemoryGuardConfig{Entries: 1000, First: true, UsesPerKey: 3, Keys: 10}, clock)
	signer := newTestSigner(t, Advanced, WithClock(clock))
	for _, want := range []error{nil, nil, nil, VerdictReplayGuardQuota} {
		request := http.Request{}
		_ = signer.SignRequest(&request)
		if _, err := verifier.Verify(t.Context(), request.Header); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// A guard allocates its memory when it is created, at most 20 bytes per entry.
func TestTheMemoryOfAGuard(t *testing.T) {
	const entries = 500_000
	allocated := func() uint64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.TotalAlloc
	}
	before := allocated()
	clock := func() time.Time { return time.UnixMilli(timestampMin) }
	verifier := newGuardedVerifier(t, MemoryGuardConfig{Entries: entries, First: true}, clock)
	if made := allocated() - before; !instrumented && made > 20*entries {
		t.Errorf("%d bytes", made)
	}
	header := signed(t, Advanced)
	allocations := testing.AllocsPerRun(1000, func() { _, _ = verifier.Verify(context.Background(), header) })
	if !instrumented && allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkVerifyWithMemoryGuard(b *testing.B) {
	verifier := newGuardedVerifier(b, MemoryGuardConfig{Entries: 1_000_000, First: true}, time.Now)
	signer := newTestSigner(b, Advanced)
	headers := make([]http.Header, 10_000)
	for i := range headers {
		request := http.Request{}
		_ = signer.SignRequest(&request)
		headers[i] = request.Header
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		_, _ = verifier.Verify(b.Context(), headers[i%len(headers)])
		i++
	}
}
