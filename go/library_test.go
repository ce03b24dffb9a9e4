//go:build cortexkey_cgo

package cortexkey

// What only the library has: the replay guard in memory, definitions, decisions; and the two
// verifiers held against each other.

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/purego"
)

func TestAMemoryGuardAcceptsOnce(t *testing.T) {
	ring := newTestKeyring(t)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		t.Fatal(err)
	}
	guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 1000, First: true})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := NewVerifier(ring, guard, WithVerifierClock(func() time.Time { return time.UnixMilli(timestampMin) }))
	if err != nil {
		t.Fatal(err)
	}
	// The verifier has what it needs.
	_, _ = guard.Close(), ring.Close()
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
	_ = verifier.Close()
}

func TestMemoryGuardConfigs(t *testing.T) {
	now := time.Now()
	for _, config := range []MemoryGuardConfig{
		{}, {First: true}, {Entries: -1, First: true}, {Entries: 1}, {Entries: 1 << 40, First: true},
		{Entries: 1, Started: now, Skew: time.Hour}, {Entries: 1, Started: now, Skew: -1 * time.Second},
		{Entries: 1, Started: now, UsesPerKey: 1}, {Entries: 1, Started: now, Keys: 1},
	} {
		if guard, err := NewMemoryGuard(config); !errors.Is(err, ErrInvalidOption) || guard != nil {
			t.Errorf("%+v: %v", config, err)
		}
	}
	guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 1, Started: now, Skew: time.Second, UsesPerKey: 1, Keys: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Remember(t.Context(), [16]byte{}, now); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	for range 2 {
		_ = guard.Close()
	}
}

func loadTest(t testing.TB, name string) *Definitions {
	bytes, err := os.ReadFile("testdata/definitions/" + name)
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := LoadDefinitions(bytes)
	if err != nil {
		t.Fatal(err)
	}
	clear(bytes)
	t.Cleanup(func() { _ = definitions.Close() })
	return definitions
}

func TestDefinitions(t *testing.T) {
	before, after := loadTest(t, "before.ckc"), loadTest(t, "after.ckc")
	var names []string
	for at, definition := range after.All() {
		name := definition.Tenant + "/" + definition.Name
		names = append(names, name)
		if found, err := after.Find(name); found != at || err != nil {
			t.Error(name, found, err)
		}
	}
	if !slices.Equal(names, []string{"eu/export", "lab/lab", "old/lab"}) {
		t.Error(names)
	}
	export, _ := after.At(0)
	if export.KeyID != 17 || export.Level != Advanced || export.Expires.UTC() != time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC) || export.Lifetime != 0 {
		t.Errorf("%+v", export)
	}
	if lab, _ := after.At(1); lab.Lifetime != 180*24*time.Hour || !lab.Expires.IsZero() {
		t.Errorf("%+v", lab)
	}
	if at, err := after.FindID(16); at != 0 || err != nil {
		t.Error(at, err)
	}
	for _, test := range []struct{ got, want error }{
		{errOf(after.Find("lab")), ErrAmbiguousName},
		{errOf(after.Find("")), ErrNotFound},
		{errOf(after.Find("nobody")), ErrNotFound},
		{errOf(after.FindID(18)), ErrNotFound},
		{errOf(after.At(3)), ErrNotFound},
		{errOf(after.At(-1)), ErrNotFound},
		{errOf(LoadDefinitions(nil)), ErrInvalidDefinitions},
		{errOf(LoadDefinitions([]byte("apiVersion"))), ErrInvalidDefinitions},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
	gains, err := Compare(before, after)
	if err != nil || len(gains) != 6 {
		t.Error(gains, err)
	}
	if !slices.Contains(gains, Gain{"new-key", "old/lab", "the key is new"}) {
		t.Error(gains)
	}
	if gains, err := Compare(after, after); err != nil || len(gains) != 0 {
		t.Error(gains, err)
	}
	_ = before.Close()
	if _, err := Compare(before, after); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestDecisions(t *testing.T) {
	definitions := loadTest(t, "after.ckc")
	endpoint := &Endpoint{Groups: []string{"servers-eu"}}
	issue := IssueQuestion{Domain: "Security", References: []Reference{{Groups: []string{"prod-ap"}, Endpoint: endpoint}, {Unknown: true}}}
	for _, test := range []struct {
		key      string
		question Question
		answer   Answer
		why      string
	}{
		{"export", ComponentQuestion{"Public API", PermissionEdit}, AnswerAllowed, "Public API is held at edit"},
		{"lab/lab", ComponentQuestion{"Public API", PermissionView}, AnswerUnknown, "nobody listed"},
		{"export", ActionQuestion{"Isolate"}, AnswerAllowed, "Isolate is held"},
		{"export", AssetQuestion{[]string{"prod-us"}}, AnswerAllowed, "prod-us is selected"},
		{"export", FindingQuestion{[]string{"prod-ap", "x"}}, AnswerRefused, "asset group prod-ap added to the scope"},
		{"export", FindingQuestion{}, AnswerRefused, "all assets in scope"},
		{"lab/lab", AssetQuestion{}, AnswerAllowed, "scopes are off"},
		{"old/lab", AssetQuestion{}, AnswerUnknown, "older model"},
		{"export", issue, AnswerAllowed, "servers-eu is selected"},
		{"export", IssueQuestion{Domain: "Security", References: []Reference{{Deleted: true}}}, AnswerRefused, "is not let in"},
		{"export", CaseQuestion{"Security", []IssueQuestion{issue, {Domain: "IT"}}}, AnswerAllowed, "servers-eu is selected"},
		{"export", CaseQuestion{"Café", nil}, AnswerRefused, "domain Café added"},
		{"export", EndpointQuestion(*endpoint), AnswerAllowed, "servers-eu is selected"},
		{"export", ManageEndpointQuestion{Tags: []string{"t"}}, AnswerRefused, ""},
		{"export", DatasetRowQuestion{"xdr_data", map[string]string{"_vendor": "acme"}}, AnswerAllowed, "the row fits"},
		{"export", DatasetRowQuestion{"xdr_data", map[string]string{"_vendor": "b"}}, AnswerRefused, "does not fit"},
		{"export", DatasetRowQuestion{"xdr_data", nil}, AnswerUnknown, "cannot be told"},
	} {
		at, err := definitions.Find(test.key)
		if err != nil {
			t.Fatal(err)
		}
		decision, err := definitions.Decide(at, test.question)
		if err != nil || decision.Answer != test.answer || !strings.Contains(decision.Why, test.why) || decision.Allowed() != (test.answer == AnswerAllowed) {
			t.Errorf("%s %+v: %+v %v", test.key, test.question, decision, err)
		}
	}
	for _, question := range []Question{
		ActionQuestion{"a\x00b"}, AssetQuestion{[]string{"\xff"}}, ComponentQuestion{"x", 3},
		FindingQuestion{make([]string, 5000)}, CaseQuestion{"x", []IssueQuestion{{Domain: "\x00"}}},
		ActionQuestion{strings.Repeat("x", 4097)},
	} {
		if _, err := definitions.Decide(0, question); !errors.Is(err, ErrInvalidQuestion) {
			t.Errorf("%T: %v", question, err)
		}
	}
	if _, err := definitions.Decide(9, ActionQuestion{"x"}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if (Decision{}).Allowed() {
		t.Error("the zero decision allows")
	}
}

// FuzzBothVerifiers holds Go's verifier against the library's.
func FuzzBothVerifiers(f *testing.F) {
	for _, v := range verifyingVectors(f) {
		header := v.header()
		f.Add(header.Get(HeaderKeyID), header.Get(HeaderAuthorization), header.Get(HeaderNonce), header.Get(HeaderTimestamp), uint8(15), v.NowMS)
	}
	good := signed(f, Advanced)
	f.Add("7", good.Get(HeaderAuthorization), testNonce, "1000000000000", uint8(15), int64(timestampMin))
	f.Add("8", testKey, "", "", uint8(3), int64(timestampMin))
	theirs, ours := newTestKeyring(f), &purego.Keyring{}
	for _, key := range []struct {
		id      uint64
		level   Level
		expires int64
		revoked bool
	}{{7, Advanced, 0, false}, {8, Standard, 0, false}, {9, Advanced, timestampMin, false}, {10, Standard, timestampMin, true}} {
		stored := storedKey{id: key.id, level: key.level, expiresMS: purego.Never, revoked: key.revoked}
		opts := []KeyOption{func(k *storedKey) { *k = stored }}
		if key.expires != 0 {
			stored.expiresMS = uint64(key.expires)
		}
		if err := theirs.Put(key.id, key.level, testKey, opts...); err != nil {
			f.Fatal(err)
		}
		kept, err := purego.Store([]byte(testKey), key.level == Advanced, stored.expiresMS, key.revoked)
		if err != nil {
			f.Fatal(err)
		}
		ours.Put(key.id, kept)
	}
	var verifiers [2]*verifier
	for i, lenient := range []bool{false, true} {
		var err error
		if verifiers[i], err = newVerifier(theirs.keyring(), Unguarded{}, 60_000, lenient); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, id, authorization, nonce, timestamp string, has uint8, nowMS int64) {
		var r purego.Request
		for i, place := range []struct {
			at   **string
			text *string
		}{{&r.KeyID, &id}, {&r.Authorization, &authorization}, {&r.Nonce, &nonce}, {&r.Timestamp, &timestamp}} {
			if has&(1<<i) != 0 {
				*place.at = place.text
			}
		}
		now := uint64(max(nowMS, 0))
		for i, lenient := range []bool{false, true} {
			want, wantVerdict := verifiers[i].verify(&r, now)
			got, gotVerdict := ours.Verify(&r, now, 60_000, lenient)
			if got != want || gotVerdict != wantVerdict {
				t.Errorf("library %d %+v, Go %d %+v", wantVerdict, want, gotVerdict, got)
			}
		}
	})
}

// FuzzBothSigners holds Go's digests against the library's.
func FuzzBothSigners(f *testing.F) {
	f.Add([]byte(testKey), []byte(testNonce), int64(timestampMin))
	f.Fuzz(func(t *testing.T, key, nonce []byte, ms int64) {
		signer, err := NewSigner(7, Advanced, key)
		if err != nil {
			return
		}
		defer signer.Close()
		want, err := signer.HeadersAt(string(nonce), ms)
		if err != nil {
			return
		}
		absorbed, err := purego.Absorb(key)
		if err != nil {
			t.Fatal(err)
		}
		var digest [purego.DigestBytes]byte
		time := [purego.TimestampBytes]byte([]byte(want.Timestamp()))
		if err := absorbed.SignWith(&time, (*[purego.NonceBytes]byte)(nonce), &digest); err != nil || string(digest[:]) != want.Authorization() {
			t.Errorf("%v: %s, not %s", err, digest, want.Authorization())
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	definitions := loadTest(b, "after.ckc")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = definitions.Decide(0, AssetQuestion{[]string{"prod-us"}})
	}
}

func BenchmarkVerifyWithMemoryGuard(b *testing.B) {
	ring := newTestKeyring(b)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		b.Fatal(err)
	}
	guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 1_000_000, First: true})
	if err != nil {
		b.Fatal(err)
	}
	defer guard.Close()
	verifier, err := NewVerifier(ring, guard)
	if err != nil {
		b.Fatal(err)
	}
	defer verifier.Close()
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
