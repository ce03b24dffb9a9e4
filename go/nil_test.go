package cortexkey

// Nil receivers, nil arguments and zero values are errors, and after Close every method returns
// one.

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestNilAndZeroValuesAreErrors(t *testing.T) {
	good := newTestSigner(t, Advanced)
	definitions := loadTest(t, "after.ckc")
	header := signed(t, Advanced)
	var signature Signature
	var level *Level
	for name, test := range map[string]struct{ got, want error }{
		"Signer.Headers":        {errOf((*Signer)(nil).Headers()), ErrNil},
		"Signer.HeadersAt":      {errOf((*Signer)(nil).HeadersAt(testNonce, timestampMin)), ErrNil},
		"Signer.SignRequest":    {(*Signer)(nil).SignRequest(&http.Request{}), ErrNil},
		"Signer.Sign":           {(*Signer)(nil).Sign(&signature), ErrNil},
		"Signer.SignBatch":      {(*Signer)(nil).SignBatch(nil), ErrNil},
		"Signer.Signer":         {errOf((*Signer)(nil).Signer(t.Context())), ErrNil},
		"Signer.Close":          {(*Signer)(nil).Close(), nil},
		"zero Signer":           {errOf(new(Signer).Headers()), ErrClosed},
		"zero Signer.Sign":      {new(Signer).Sign(&signature), ErrClosed},
		"Sign(nil)":             {good.Sign(nil), ErrNil},
		"SignRequest(nil)":      {good.SignRequest(nil), ErrNilRequest},
		"Headers.Set(nil)":      {Headers{}.Set(nil), ErrNil},
		"zero Headers":          {Headers{}.Set(http.Header{}), ErrNil},
		"Keyring.Put":           {(*Keyring)(nil).Put(7, Advanced, testKey), ErrNil},
		"Keyring.PutBytes":      {(*Keyring)(nil).PutBytes(7, Advanced, []byte(testKey)), ErrNil},
		"Keyring.PutBytes(nil)": {newTestKeyring(t).PutBytes(7, Advanced, nil), ErrInvalidKey},
		"Keyring.Revoke":        {(*Keyring)(nil).Revoke(7), ErrNil},
		"Keyring.Remove":        {(*Keyring)(nil).Remove(7), ErrNil},
		"Keyring.Close":         {(*Keyring)(nil).Close(), nil},
		"zero Keyring":          {new(Keyring).Put(7, Advanced, testKey), ErrClosed},
		"NewVerifier(nil)":      {errOf(NewVerifier(nil, NoReplayGuard{})), ErrNil},
		"NewVerifier(…, nil)":   {errOf(NewVerifier(newTestKeyring(t), nil)), ErrNilGuard},
		"a nil MemoryGuard":     {errOf(NewVerifier(newTestKeyring(t), (*MemoryGuard)(nil))), ErrNilGuard},
		"a zero MemoryGuard":    {errOf(NewVerifier(newTestKeyring(t), &MemoryGuard{})), ErrClosed},
		"Verifier.Verify":       {errOf((*Verifier)(nil).Verify(t.Context(), header)), ErrNil},
		"zero Verifier":         {errOf(new(Verifier).Verify(t.Context(), header)), ErrClosed},
		"Verifier.Close":        {(*Verifier)(nil).Close(), nil},
		"Verify(…, nil)":        {errOf(newTestVerifier(t, newTestKeyring(t), timestampMin).Verify(t.Context(), nil)), VerdictMissingHeader},
		"Transport.RoundTrip":   {errOf((*Transport)(nil).RoundTrip(&http.Request{})), ErrNil},
		"zero Transport":        {errOf(new(Transport).RoundTrip(&http.Request{})), ErrNil},
		"MemoryGuard.Close":     {(*MemoryGuard)(nil).Close(), nil},
		"Definitions.At":        {errOf((*Definitions)(nil).At(0)), ErrNil},
		"Definitions.Find":      {errOf((*Definitions)(nil).Find("x")), ErrNil},
		"Definitions.FindID":    {errOf((*Definitions)(nil).FindID(7)), ErrNil},
		"Definitions.Decide":    {errOf((*Definitions)(nil).Decide(0, ActionQuestion{})), ErrNil},
		"Definitions.Close":     {(*Definitions)(nil).Close(), nil},
		"zero Definitions":      {errOf(new(Definitions).At(0)), ErrClosed},
		"Decide(…, nil)":        {errOf(definitions.Decide(0, nil)), ErrNil},
		"Decide(a nil pointer)": {errOf(definitions.Decide(0, (*ActionQuestion)(nil))), ErrNil},
		"FileSource.Signer":     {errOf((*FileSource)(nil).Signer(t.Context())), ErrNil},
		"FileSource.Close":      {(*FileSource)(nil).Close(), nil},
		"zero FileSource":       {errOf(new(FileSource).Signer(t.Context())), ErrClosed},
		"SignerFunc(nil)":       {errOf(SignerFunc(nil).Signer(t.Context())), ErrNil},
		"Level.UnmarshalText":   {level.UnmarshalText([]byte("advanced")), ErrNil},
	} {
		if !errors.Is(test.got, test.want) || test.want == nil && test.got != nil {
			t.Errorf("%s: got %v, want %v", name, test.got, test.want)
		}
	}
	if (*Signer)(nil).KeyID() != 0 || (*Signer)(nil).Level() != 0 || (*Signature)(nil).Nonce() != nil ||
		(*Signature)(nil).Authorization() != nil || (*Signature)(nil).Timestamp() != nil {
		t.Error("a nil value has values")
	}
	(*Transport)(nil).CloseIdleConnections()
	for range (*Definitions)(nil).All() {
		t.Error("nil definitions have one")
	}
	//lint:ignore SA1012 a nil context is what is tested
	if _, ok := PrincipalFrom(nil); ok {
		t.Error("a principal out of nowhere")
	}
	recorder := httptest.NewRecorder()
	(*Verifier)(nil).Middleware(nil).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	if recorder.Code != http.StatusUnauthorized {
		t.Error(recorder.Code)
	}
}

func TestMiddlewareWithoutAHandler(t *testing.T) {
	ring := newTestKeyring(t)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header = signed(t, Advanced)
	recorder := httptest.NewRecorder()
	newTestVerifier(t, ring, timestampMin).Middleware(nil).ServeHTTP(recorder, request)
	if recorder.Code != http.StatusInternalServerError {
		t.Error(recorder.Code)
	}
}

// Both backends return the same error after Close; package lib runs this test with the library.
func TestAfterClose(t *testing.T) {
	signer := newTestSigner(t, Advanced)
	ring, definitions := newTestKeyring(t), loadTest(t, "after.ckc")
	if err := ring.Put(7, Advanced, testKey); err != nil {
		t.Fatal(err)
	}
	guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 10, First: true})
	if err != nil {
		t.Fatal(err)
	}
	clock := WithVerifierClock(func() time.Time { return time.UnixMilli(timestampMin) })
	verifier, err := NewVerifier(ring, guard, clock)
	if err != nil {
		t.Fatal(err)
	}
	header := signed(t, Advanced)
	for range 2 {
		_, _, _, _ = signer.Close(), ring.Close(), guard.Close(), definitions.Close()
	}
	// The verifier keeps its own references until it is closed itself.
	for _, want := range []error{nil, VerdictReplayed} {
		if _, err := verifier.Verify(t.Context(), header); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	_ = verifier.Close()
	for name, got := range map[string]error{
		"Headers": errOf(signer.Headers()), "HeadersAt": errOf(signer.HeadersAt(testNonce, timestampMin)),
		"Put": ring.Put(7, Advanced, testKey), "Revoke": ring.Revoke(7), "Remove": ring.Remove(7),
		"NewVerifier": errOf(NewVerifier(ring, NoReplayGuard{})), "Verify": errOf(verifier.Verify(t.Context(), header)),
		"a closed guard": errOf(NewVerifier(newTestKeyring(t), guard)),
		"At":             errOf(definitions.At(0)), "Find": errOf(definitions.Find("export")), "FindID": errOf(definitions.FindID(17)),
		"Decide": errOf(definitions.Decide(0, ActionQuestion{"Isolate"})),
	} {
		if !errors.Is(got, ErrClosed) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
