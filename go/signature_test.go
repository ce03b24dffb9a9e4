package cortexkey

// Signing into the caller's memory: correct, with a new nonce, redacted, and without allocation.

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestBatches(t *testing.T) {
	signer := newTestSigner(t, Advanced)
	seen := map[string]bool{}
	for _, count := range []int{0, 1, 2, 15, 16, 17, 64, 65, 300} {
		batch := make([]Signature, count)
		if err := signer.SignBatch(batch); err != nil {
			t.Fatal(err)
		}
		for i := range batch {
			s := &batch[i]
			ms, _ := strconv.ParseInt(string(s.Timestamp()), 10, 64)
			want, err := signer.HeadersAt(string(s.Nonce()), ms)
			if err != nil || want.Authorization() != string(s.Authorization()) {
				t.Fatalf("%d of %d: %v", i, count, err)
			}
			if seen[want.Nonce()] {
				t.Error("a nonce came twice")
			}
			seen[want.Nonce()] = true
		}
	}
}

func TestSignTakesClockAndNonces(t *testing.T) {
	nonces := strings.NewReader(strings.Repeat("\x00", 72*2))
	signer := newTestSigner(t, Advanced, WithNonceSource(nonces), WithClock(func() time.Time { return time.UnixMilli(timestampMin) }))
	var s Signature
	if err := signer.Sign(&s); err != nil || string(s.Nonce()) != strings.Repeat("A", 64) || string(s.Timestamp()) != "1000000000000" {
		t.Errorf("%v %s %s", err, s.Nonce(), s.Timestamp())
	}
	want, _ := signer.HeadersAt(strings.Repeat("A", 64), timestampMin)
	if want.Authorization() != string(s.Authorization()) {
		t.Error("another digest")
	}
	if err := signer.SignBatch(make([]Signature, 2)); !errors.Is(err, ErrNonceSource) {
		t.Error(err)
	}
}

func TestSignRefuses(t *testing.T) {
	var s Signature
	if err := newTestSigner(t, Standard).Sign(&s); !errors.Is(err, ErrNotAdvanced) {
		t.Error(err)
	}
	signer := newTestSigner(t, Advanced)
	_ = signer.Close()
	if err := signer.Sign(&s); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	signer = newTestSigner(t, Advanced, WithClock(func() time.Time { return time.Time{} }))
	if err := signer.Sign(&s); !errors.Is(err, ErrInvalidTimestamp) {
		t.Error(err)
	}
}

func TestASignatureIsNotShown(t *testing.T) {
	var s Signature
	if err := newTestSigner(t, Advanced).Sign(&s); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(s)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %x %s", &s, s, s, s, s), string(text)} {
		if strings.Contains(shown, string(s.Authorization())) || strings.Contains(shown, string(s.Nonce())) {
			t.Error(shown)
		}
	}
}

func TestSigningAllocatesNothing(t *testing.T) {
	signer := newTestSigner(t, Advanced)
	var one Signature
	batch := make([]Signature, 64)
	single := testing.AllocsPerRun(1000, func() { _ = signer.Sign(&one) })
	many := testing.AllocsPerRun(100, func() { _ = signer.SignBatch(batch) })
	if !instrumented && (single != 0 || many != 0) {
		t.Errorf("%s: %v and %v allocations", Backend(), single, many)
	}
}
