package cortexkey

// A batch of requests has the same results as one request after another.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// batchOf returns requests of every kind: authentic, replayed, forged, of a Standard key, of an
// unknown key, with a stale timestamp, malformed, with a duplicate header, and with a header that
// is far too long.
func batchOf(t testing.TB, count int) []http.Header {
	signers := []*Signer{}
	for _, key := range []struct {
		id    uint64
		level Level
		bytes string
	}{{7, Advanced, testKey}, {7, Advanced, "another-key"}, {7, Standard, testKey}, {8, Advanced, testKey}} {
		signer, err := NewSigner(key.id, key.level, key.bytes)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, signer)
	}
	batch := make([]http.Header, count)
	for i := range batch {
		signer := signers[0]
		if i%7 == 3 {
			signer = signers[i/7%len(signers)]
		}
		headers, err := signer.HeadersAt(fmt.Sprintf("%064d", i%50), timestampMin+7_000*int64(i%10))
		if err != nil {
			t.Fatal(err)
		}
		batch[i] = http.Header{"User-Agent": {"somebody"}}
		headers.Set(batch[i])
		switch i % 23 {
		case 5:
			batch[i].Del(HeaderNonce)
		case 9:
			batch[i].Add(HeaderTimestamp, "1")
		case 15:
			batch[i].Set(HeaderAuthorization, strings.Repeat("a", 70_000))
		case 16:
			batch[i] = nil
		}
	}
	return batch
}

func TestVerifyBatchAnswersAsOneByOne(t *testing.T) {
	ring := newTestKeyring(t)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, count := range []int{0, 1, 3, 63, 64, 65, 200} {
		verifiers := [2]*Verifier{}
		for i := range verifiers {
			guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 10_000, First: true})
			if err != nil {
				t.Fatal(err)
			}
			verifiers[i], err = NewVerifier(ring, guard, WithVerifierClock(func() time.Time { return time.UnixMilli(timestampMin) }))
			if err != nil {
				// A keyring of the C library needs a guard of package lib, which has its own test.
				t.Skip(err)
			}
		}
		batch := batchOf(t, count)
		outcomes := verifiers[0].VerifyBatch(t.Context(), batch)
		if len(outcomes) != count {
			t.Fatalf("%d outcomes of %d requests", len(outcomes), count)
		}
		for i, header := range batch {
			principal, err := verifiers[1].Verify(t.Context(), header)
			if outcomes[i].Principal != principal || !errors.Is(outcomes[i].Err, err) {
				t.Errorf("%d of %d: %+v, alone %+v, %v", i, count, outcomes[i], principal, err)
			}
			seen[fmt.Sprint(err)] = true
		}
	}
	if len(seen) < 8 {
		t.Errorf("only %v", seen)
	}
}

func TestVerifyBatchOfAClosedVerifier(t *testing.T) {
	verifier := newTestVerifier(t, newTestKeyring(t), timestampMin)
	_ = verifier.Close()
	for _, outcome := range verifier.VerifyBatch(t.Context(), batchOf(t, 3)) {
		if !errors.Is(outcome.Err, ErrClosed) {
			t.Error(outcome.Err)
		}
	}
	var none *Verifier
	for _, outcome := range none.VerifyBatch(t.Context(), batchOf(t, 3)) {
		if !errors.Is(outcome.Err, ErrNil) {
			t.Error(outcome.Err)
		}
	}
}

// The batch is the only difference from BenchmarkVerify.
func BenchmarkVerifyBatch256(b *testing.B) {
	ring := newTestKeyring(b)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		b.Fatal(err)
	}
	verifier, batch := newTestVerifier(b, ring, timestampMin), make([]http.Header, 256)
	for i := range batch {
		batch[i] = signed(b, Advanced)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = verifier.VerifyBatch(context.Background(), batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/signature")
}
