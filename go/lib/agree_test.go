//go:build cgo

package lib_test

// Runs both backends on generated definitions, questions, damaged bytes and sequences of requests.
// With the build tag cortexkey_cgo, the library would be compared with itself, so CI runs these
// tests without it.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
	"github.com/cortexkey/cortexkey/go/internal/access"
	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/library"
	"github.com/cortexkey/cortexkey/go/lib"
)

// writer writes random compiled definitions, in the format that crates/core/src/access/compiled
// describes.
type writer struct {
	bytes.Buffer
	rand *rand.Rand
	// Whether it sometimes violates the format.
	breaks bool
}

func (w *writer) isWrong(oneIn int) bool { return w.breaks && w.rand.IntN(oneIn) == 0 }

func (w *writer) number(value uint64, bytes int) {
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], value)
	w.Write(number[:bytes])
}

func (w *writer) text(text string) {
	w.number(uint64(len(text)), 2)
	w.WriteString(text)
}

func (w *writer) below(end int) uint64 { return uint64(w.rand.IntN(end)) }

func (w *writer) list(most int, one func()) {
	count := w.below(most + 1)
	w.number(count, 2)
	for range count {
		one()
	}
}

var names = []string{"a", "b", "prod-eu", "Security", "IT", "Public API", "Isolate", "xdr_data", "Café"}

func (w *writer) name() { w.text(names[w.below(len(names))]) }

var filters = []string{
	`_vendor = "a"`, `_vendor != a`, `_vendor in ("a", b)`, `_vendor >= 3`, `_vendor < 3`, `_vendor starts_with "a"`,
	`_vendor contains a`, `_vendor array_contains a`, `_product = a`, `secret = 1`, `_vendor like a`, `_vendor = a or b`,
	`_vendor in a`, `_vendor in ()`, ` _vendor=a `, `_vendor = "`, `_vendor = é`, `_vendor`,
}

func (w *writer) record(tenant, name string) []byte {
	r := &writer{rand: w.rand, breaks: w.breaks}
	r.text(tenant)
	r.text(name)
	r.list(2, func() { r.number(1+w.below(40), 8) })
	r.number(1+w.below(2), 1)
	end := w.below(3)
	r.number(end, 1)
	r.number(end*w.below(1<<40), 8)
	r.number(w.below(8)/7, 1) // an older model, seldom
	r.number(w.below(3), 1)
	r.number(w.below(2), 1)
	r.number(w.below(2), 1)
	r.list(2, func() {
		r.name()
		flags := w.below(16)
		if flags > 3 {
			flags &= 2
		}
		r.number(flags, 1)
		r.number(w.below(6), 1)
		r.list(3, func() { r.name(); r.number(w.below(6), 1) })
		r.list(2, r.name)
		r.list(2, r.name)
	})
	hasScope := min(w.below(4), 1)
	r.number(hasScope, 1)
	if hasScope == 1 {
		r.selection(2)
		r.selection(2)
		r.number(w.below(2), 1)
		r.selection(3)
		r.selection(3)
		rows := w.below(3)
		r.number(rows, 1)
		if rows == 0 && !r.isWrong(30) {
			r.number(0, 2)
		} else {
			r.list(3, func() { r.name(); r.text(filters[w.below(len(filters))]) })
		}
	}
	return r.Bytes()
}

func (w *writer) selection(selects uint64) {
	mode := w.below(int(selects) + 1)
	w.number(mode, 1)
	if mode == selects || w.isWrong(200) {
		w.list(3, w.name)
	} else {
		w.number(0, 2)
	}
}

// sealed prepends the header to a body.
func sealed(body []byte) []byte {
	head := []byte("\x89CKC\r\n\x1a\n\x02\x00\x00\x00")
	head = binary.LittleEndian.AppendUint32(head, uint32(len(body)))
	digest := sha256.Sum256(body)
	return append(append(head, digest[:]...), body...)
}

func generated(random *rand.Rand, breaks bool) []byte {
	w := &writer{rand: random, breaks: breaks}
	keys := map[[2]string]bool{}
	for range 1 + w.below(6) {
		keys[[2]string{[]string{"", "eu", "us", "a/b"}[w.below(4)], []string{"x", "y", "b/x", "eu/x"}[w.below(4)]}] = true
	}
	sorted := make([][2]string, 0, len(keys))
	for key := range keys {
		sorted = append(sorted, key)
	}
	slices.SortFunc(sorted, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	w.number(uint64(len(sorted)), 4)
	for _, key := range sorted {
		record := w.record(key[0], key[1])
		w.number(uint64(len(record)), 4)
		w.Write(record)
	}
	return w.Bytes()
}

// both loads definitions with the library and in Go. Both must accept them, or both refuse them.
func both(t *testing.T, compiled []byte) (theirs, ours backend.Definitions, ok bool) {
	theirs, theirErr := library.LoadDefinitions(compiled)
	ours, ourErr := access.Load(compiled)
	if (theirErr == nil) != (ourErr == nil) {
		t.Fatalf("library %v, Go %v: %x", theirErr, ourErr, compiled)
	}
	if theirErr == nil {
		t.Cleanup(theirs.Close)
	}
	return theirs, ours, theirErr == nil
}

func TestGeneratedDefinitionsAndQuestions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	answers := map[backend.Answer]int{}
	for round := range 800 {
		theirs, ours, ok := both(t, sealed(generated(random, false)))
		if !ok {
			t.Fatalf("round %d: generated definitions are refused", round)
		}
		for _, name := range []string{"x", "y", "eu/x", "a/b/x", "a/b/b/x", "b/x", "eu/eu/x", "us/y", "z", "/x", "eu/"} {
			want, wantErr := theirs.Find(name)
			got, gotErr := ours.Find(name)
			if got != want || !sameKind(gotErr, wantErr) {
				t.Fatalf("%q: library %d %v, Go %d %v", name, want, wantErr, got, gotErr)
			}
		}
		for id := range uint64(42) {
			want, wantErr := theirs.FindID(id)
			got, gotErr := ours.FindID(id)
			if got != want || !sameKind(gotErr, wantErr) {
				t.Fatalf("id %d: library %d %v, Go %d %v", id, want, wantErr, got, gotErr)
			}
		}
		for at := range 7 {
			want, wantErr := theirs.At(at)
			got, gotErr := ours.At(at)
			if got != want || !sameKind(gotErr, wantErr) {
				t.Fatalf("index %d: library %+v %v, Go %+v %v", at, want, wantErr, got, gotErr)
			}
			for range 30 {
				question := question(random)
				want, wantErr := theirs.Decide(at, question)
				got, gotErr := ours.Decide(at, question)
				if got.Answer != want.Answer || got.IfEnforced != want.IfEnforced || got.ScopesOff != want.ScopesOff || got.Why != want.Why || !sameKind(gotErr, wantErr) {
					t.Fatalf("%+v\nlibrary %+v %v\nGo      %+v %v", question, want, wantErr, got, gotErr)
				}
				if gotErr == nil {
					answers[got.Answer]++
				}
			}
		}
	}
	for answer := range backend.Allowed + 1 {
		if answers[answer] < 2000 {
			t.Errorf("answer %d came %d times only", answer, answers[answer])
		}
	}
}

// sameKind compares kinds of errors, because each backend has its own text.
func sameKind(a, b error) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	for _, kind := range []error{backend.ErrNotFound, backend.ErrAmbiguousName, backend.ErrInvalidDefinitions, backend.ErrInvalidQuestion} {
		if errors.Is(a, kind) != errors.Is(b, kind) {
			return false
		}
	}
	return true
}

func question(random *rand.Rand) *backend.Question {
	name := func() string { return names[random.IntN(len(names))] }
	list := func() []string {
		var list []string
		for range random.IntN(4) {
			list = append(list, name())
		}
		return list
	}
	references := func() []backend.Reference {
		var references []backend.Reference
		for range random.IntN(3) {
			reference := backend.Reference{Kind: uint32(1 + random.IntN(3))}
			if reference.Kind == backend.AssetReference {
				reference.Groups = list()
				if random.IntN(2) == 0 {
					reference.Endpoint = &backend.Endpoint{Groups: list(), Tags: list()}
				}
			}
			references = append(references, reference)
		}
		return references
	}
	q := &backend.Question{
		Kind: backend.Kind(1 + random.IntN(9)), Name: name(), Permission: uint32(random.IntN(3)), Groups: list(), Tags: list(),
		References: references(),
	}
	for range random.IntN(3) {
		q.Issues = append(q.Issues, backend.Issue{Domain: name(), References: references()})
	}
	if random.IntN(4) > 0 {
		value := []string{"a", "b", "3", "-4", "abc", "", "é"}[random.IntN(7)]
		q.Fields = append(q.Fields, [2]string{"_vendor", value})
	}
	return q
}

// Both accept or both refuse changed bytes with a valid digest, and both give the same answers.
func TestForgedDefinitions(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	file := must(os.ReadFile("../testdata/definitions/after.ckc"))(t)
	taken := 0
	for round := range 8000 {
		body := generated(random, true)
		if round%4 == 0 {
			body = slices.Clone(file[48:])
		}
		for range random.IntN(3) {
			at := random.IntN(len(body))
			switch random.IntN(3) {
			case 0:
				body[at] = byte(random.Uint32())
			case 1:
				body = slices.Delete(body, at, min(at+1+random.IntN(3), len(body)))
			default:
				body = slices.Insert(body, at, byte(random.IntN(4)))
			}
			if len(body) == 0 {
				body = []byte{0}
			}
		}
		theirs, ours, ok := both(t, sealed(body))
		if !ok {
			continue
		}
		taken++
		for at := range 6 {
			question := question(random)
			want, wantErr := theirs.Decide(at, question)
			got, gotErr := ours.Decide(at, question)
			if got.Answer != want.Answer || !sameKind(gotErr, wantErr) {
				t.Fatalf("%+v\nlibrary %+v %v\nGo      %+v %v", question, want, wantErr, got, gotErr)
			}
		}
	}
	if taken < 200 {
		t.Errorf("only %d forgeries were taken", taken)
	}
}

// Sends the same sequences of requests to a verifier of the library and to one in Go, each with its
// own guard: each request has the same verdict, as long as the guards are not full.
func TestGeneratedSequences(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { sequence(t, rand.New(rand.NewPCG(5, seed))) })
	}
}

func sequence(t *testing.T, random *rand.Rand) {
	now := int64(nowMS)
	skew := time.Duration(1+random.IntN(60)) * time.Second
	config := cortexkey.MemoryGuardConfig{Entries: 4000, Skew: skew, First: random.IntN(2) == 0}
	if !config.First {
		config.Started = time.UnixMilli(now)
	}
	if random.IntN(2) == 0 {
		config.UsesPerKey, config.Keys = 1<<20, 10
	}
	theirGuard := must(lib.NewMemoryGuard(config))(t)
	ourGuard := must(cortexkey.NewMemoryGuard(config))(t)
	defer theirGuard.Close()
	options := []cortexkey.VerifierOption{cortexkey.WithSkew(skew), at(&now)}
	theirs := must(cortexkey.NewVerifier(libKeyring(t), theirGuard, options...))(t)
	ours := must(cortexkey.NewVerifier(pureKeyring(t), ourGuard, options...))(t)
	defer theirs.Close()
	signers := map[uint64]*cortexkey.Signer{}
	for id := uint64(1); id <= 10; id++ {
		signers[id] = must(cortexkey.NewSigner(id, cortexkey.Advanced, testKey,
			cortexkey.WithClock(func() time.Time { return time.UnixMilli(now) })))(t)
	}
	type request struct {
		id    uint64
		nonce string
		ms    int64
	}
	var sent []request
	verdicts := map[string]int{}
	// The same requests as a batch, with a guard of its own; verified when the clock advances.
	batchGuard := must(lib.NewMemoryGuard(config))(t)
	defer batchGuard.Close()
	batches := must(cortexkey.NewVerifier(libKeyring(t), batchGuard, options...))(t)
	defer batches.Close()
	var batch []http.Header
	var wanted []string
	verifyBatch := func() {
		for i, outcome := range batches.VerifyBatch(t.Context(), batch) {
			if fmt.Sprint(outcome) != wanted[i] {
				t.Fatalf("%d of %d: %v in a batch, %s alone", i, len(batch), outcome, wanted[i])
			}
		}
		batch, wanted = batch[:0], wanted[:0]
	}
	for step := range 3000 {
		// The clock stands still for runs of any length.
		move := random.IntN(40)
		if step%500 < 250 {
			move = 40 + random.IntN(40)
		} else {
			verifyBatch()
		}
		switch move {
		case 0:
			now += random.Int64N(3 * skew.Milliseconds())
		case 1:
			now -= random.Int64N(skew.Milliseconds())
		case 40:
			verifyBatch()
			now++
		default:
			if move < 40 {
				now += random.Int64N(20)
			}
		}
		r := request{id: 1 + uint64(random.IntN(10)), ms: now - skew.Milliseconds() + random.Int64N(2*skew.Milliseconds()+1)}
		if len(sent) > 0 && random.IntN(3) == 0 {
			r = sent[max(0, len(sent)-1-random.IntN(200))]
		} else {
			r.nonce = fmt.Sprintf("%064d", len(sent))
			sent = append(sent, r)
		}
		header := map[string][]string{}
		if err := must(signers[r.id].HeadersAt(r.nonce, r.ms))(t).Set(header); err != nil {
			t.Fatal(err)
		}
		wantPrincipal, want := theirs.Verify(t.Context(), header)
		gotPrincipal, got := ours.Verify(t.Context(), header)
		if fmt.Sprint(got) != fmt.Sprint(want) || gotPrincipal != wantPrincipal {
			t.Fatalf("%+v at %d, skew %v: library %v, Go %v", r, now, skew, want, got)
		}
		batch = append(batch, header)
		wanted = append(wanted, fmt.Sprint(cortexkey.Outcome{Principal: gotPrincipal, Err: got}))
		verdicts[fmt.Sprint(got)]++
	}
	verifyBatch()
	if len(verdicts) < 3 {
		t.Errorf("only %v", verdicts)
	}
}
