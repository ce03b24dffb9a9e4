package cortexkey

// The signer: invalid arguments, headers, formatting, allocations.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

const testKey = "hK7Vd2mQ9xZt4LpR8cWb"

var testNonce = strings.Repeat("n", nonceBytes)

func newTestSigner(t testing.TB, level Level, opts ...Option) *Signer {
	t.Helper()
	signer, err := NewSigner(7, level, testKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = signer.Close() })
	return signer
}

// valuesOf returns the values of headers, for comparison.
func valuesOf(h Headers) headerValues {
	return headerValues{h.KeyID(), h.Authorization(), h.Nonce(), h.Timestamp()}
}

func TestNewSignerRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		keyID uint64
		level Level
		key   string
		opts  []Option
		want  error
	}{
		{"key id 0", 0, Advanced, testKey, nil, ErrInvalidKeyID},
		{"no level", 7, 0, testKey, nil, ErrInvalidLevel},
		{"another level", 7, 3, testKey, nil, ErrInvalidLevel},
		{"empty key", 7, Advanced, "", nil, ErrInvalidKey},
		{"long key", 7, Standard, strings.Repeat("k", 257), nil, ErrInvalidKey},
		{"newline", 7, Standard, testKey + "\n", nil, ErrInvalidKey},
		{"space", 7, Standard, " " + testKey, nil, ErrInvalidKey},
		{"NUL", 7, Advanced, testKey + "\x00", nil, ErrInvalidKey},
		{"not ASCII", 7, Advanced, testKey + "é", nil, ErrInvalidKey},
		{"nil option", 7, Advanced, testKey, []Option{nil}, ErrInvalidOption},
		{"nil clock", 7, Advanced, testKey, []Option{WithClock(nil)}, ErrInvalidOption},
		{"nil source", 7, Advanced, testKey, []Option{WithNonceSource(nil)}, ErrInvalidOption},
	} {
		t.Run(test.name, func(t *testing.T) {
			signer, err := NewSigner(test.keyID, test.level, test.key, test.opts...)
			if signer != nil || !errors.Is(err, test.want) {
				t.Fatalf("got %v, %v; want %v", signer, err, test.want)
			}
			if test.key != "" && strings.Contains(err.Error(), strings.TrimSpace(test.key)) {
				t.Error("the error shows the key")
			}
		})
	}
}

func TestKeyBytesStayWithTheCaller(t *testing.T) {
	for _, level := range []Level{Standard, Advanced} {
		key := []byte(testKey)
		signer, err := NewSigner(7, level, key)
		if err != nil {
			t.Fatal(err)
		}
		if string(key) != testKey {
			t.Error("the caller's key was changed")
		}
		clear(key)
		ours, _ := signer.HeadersAt(testNonce, timestampMin)
		theirs, _ := newTestSigner(t, level).HeadersAt(testNonce, timestampMin)
		if valuesOf(ours) != valuesOf(theirs) {
			t.Error("the signer holds on to the caller's bytes")
		}
		_ = signer.Close()
	}
}

func TestHeadersAtRefuses(t *testing.T) {
	signer := newTestSigner(t, Advanced)
	for _, test := range []struct {
		nonce string
		ms    int64
		want  error
	}{
		{"", timestampMin, ErrInvalidNonce},
		{testNonce[1:], timestampMin, ErrInvalidNonce},
		{testNonce + "n", timestampMin, ErrInvalidNonce},
		{testNonce[1:] + "-", timestampMin, ErrInvalidNonce},
		{testNonce[2:] + "é", timestampMin, ErrInvalidNonce},
		{testNonce[1:] + "\x80", timestampMin, ErrInvalidNonce},
		{testNonce, 0, ErrInvalidTimestamp},
		{testNonce, -timestampMin, ErrInvalidTimestamp},
		{testNonce, timestampMin - 1, ErrInvalidTimestamp},
		{testNonce, timestampMax + 1, ErrInvalidTimestamp},
	} {
		headers, err := signer.HeadersAt(test.nonce, test.ms)
		if !errors.Is(err, test.want) || headers.Authorization() != "" {
			t.Errorf("%q %d: got %v; want %v", test.nonce, test.ms, err, test.want)
		}
	}
	for _, ms := range []int64{timestampMin, timestampMax} {
		if _, err := signer.HeadersAt(testNonce, ms); err != nil {
			t.Errorf("%d: %v", ms, err)
		}
	}
}

func TestHeadersAreNew(t *testing.T) {
	signer := newTestSigner(t, Advanced)
	seen := map[string]bool{}
	for range 1000 {
		before := time.Now().UnixMilli()
		headers, err := signer.Headers()
		if err != nil {
			t.Fatal(err)
		}
		if err := checkNonce(headers.Nonce()); err != nil {
			t.Fatal(err)
		}
		if seen[headers.Nonce()] || seen[headers.Authorization()] {
			t.Fatal("a nonce or digest came twice")
		}
		seen[headers.Nonce()], seen[headers.Authorization()] = true, true
		var ms int64
		if _, err := fmt.Sscan(headers.Timestamp(), &ms); err != nil || ms < before || ms > before+10_000 {
			t.Fatalf("timestamp %q, clock %d", headers.Timestamp(), before)
		}
		if again, _ := signer.HeadersAt(headers.Nonce(), ms); valuesOf(again) != valuesOf(headers) {
			t.Fatal("the same nonce and time give another digest")
		}
	}
}

func TestClockAndNonceSource(t *testing.T) {
	clock := func() time.Time { return time.UnixMilli(1_700_000_000_000) }
	signer := newTestSigner(t, Advanced, WithClock(clock), WithNonceSource(bytes.NewReader(make([]byte, 72))))
	headers, err := signer.Headers()
	if err != nil {
		t.Fatal(err)
	}
	if headers.Nonce() != strings.Repeat("A", 64) || headers.Timestamp() != "1700000000000" {
		t.Errorf("nonce %q, timestamp %q", headers.Nonce(), headers.Timestamp())
	}
	if _, err := signer.Headers(); !errors.Is(err, ErrNonceSource) || !errors.Is(err, io.EOF) {
		t.Errorf("an empty source: %v", err)
	}
	broken := func() time.Time { return time.Unix(0, 0) }
	if _, err := newTestSigner(t, Advanced, WithClock(broken)).Headers(); !errors.Is(err, ErrInvalidTimestamp) {
		t.Errorf("a clock of 1970: %v", err)
	}
	if _, err := newTestSigner(t, Standard, WithClock(broken)).Headers(); err != nil {
		t.Errorf("a Standard key needs no clock: %v", err)
	}
}

func TestSignRequest(t *testing.T) {
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	defer server.Close()
	for _, level := range []Level{Standard, Advanced} {
		signer := newTestSigner(t, level)
		req, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		// Headers of an earlier attempt, one of them not in net/http's canonical form.
		req.Header["x-xdr-nonce"] = []string{"stale"}
		req.Header[HeaderNonce] = []string{"stale", "stale"}
		req.Header[HeaderTimestamp] = []string{"stale"}
		req.Header.Set("Authorization", "Bearer stale")
		req.Header.Set("Content-Type", "application/json")
		if err := signer.SignRequest(req); err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		checkSent(t, level, <-got)
	}
}

func checkSent(t *testing.T, level Level, header http.Header) {
	want := map[string]int{HeaderKeyID: 1, HeaderAuthorization: 1, HeaderNonce: 0, HeaderTimestamp: 0, "Content-Type": 1}
	if level == Advanced {
		want[HeaderNonce], want[HeaderTimestamp] = 1, 1
	}
	for name, count := range want {
		values := header.Values(name)
		if len(values) != count || strings.Contains(strings.Join(values, ""), "stale") {
			t.Errorf("%v: %d values of %s, want %d fresh ones", level, len(values), name, count)
		}
	}
	if sent := header.Get(HeaderAuthorization); (sent == testKey) != (level == Standard) {
		t.Errorf("%v: wrong Authorization", level)
	}
}

func TestSignRequestRefusesNilAndTakesNoHeader(t *testing.T) {
	signer := newTestSigner(t, Advanced)
	if err := signer.SignRequest(nil); !errors.Is(err, ErrNilRequest) {
		t.Error(err)
	}
	req := &http.Request{}
	if err := signer.SignRequest(req); err != nil || len(req.Header) != 4 {
		t.Errorf("%v, %d headers", err, len(req.Header))
	}
}

func TestClosed(t *testing.T) {
	for _, level := range []Level{Standard, Advanced} {
		signer := newTestSigner(t, level)
		for range 2 {
			if err := signer.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := signer.Headers(); !errors.Is(err, ErrClosed) {
			t.Errorf("%v: %v", level, err)
		}
	}
}

func TestGoroutinesShareASignerAndOneClosesIt(t *testing.T) {
	for _, level := range []Level{Standard, Advanced} {
		signer := newTestSigner(t, level)
		want, _ := signer.HeadersAt(testNonce, timestampMin)
		var all sync.WaitGroup
		for i := range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				for j := range 2000 {
					headers, err := signer.HeadersAt(testNonce, timestampMin)
					if err == nil && valuesOf(headers) != valuesOf(want) || err != nil && !errors.Is(err, ErrClosed) {
						t.Errorf("wrong headers, or %v", err)
						return
					}
					if i == 0 && j == 1000 {
						_ = signer.Close()
					}
				}
			}()
		}
		all.Wait()
	}
}

func TestNothingShowsTheKey(t *testing.T) {
	for _, level := range []Level{Standard, Advanced} {
		signer := newTestSigner(t, level)
		headers, err := signer.Headers()
		if err != nil {
			t.Fatal(err)
		}
		secrets := append(forms(testKey), forms(headers.Authorization())...)
		for _, shown := range shows(t, signer, headers) {
			for _, secret := range secrets {
				if strings.Contains(shown, secret) {
					t.Errorf("%v: %q shows a secret", level, shown)
				}
			}
		}
	}
}

// forms returns a secret in all forms in which fmt's verbs write strings and bytes.
func forms(secret string) []string {
	forms := []string{secret}
	for _, verb := range []string{"%x", "% x", "%X", "% X", "%d", "%o", "%b", "%#x", "%#v"} {
		forms = append(forms, fmt.Sprintf(verb, []byte(secret)))
	}
	for i, form := range forms {
		form = strings.TrimPrefix(form, "[]byte")
		forms[i] = strings.Trim(form, "[]{}")
	}
	return forms
}

// unexported holds values in unexported fields, on which fmt calls no methods.
type unexported struct {
	h  Headers
	p  *Headers
	hs []Headers
	m  map[string]Headers
	s  *Signer
	ss []*Signer
	a  any
}

// holders returns a value, alone and within other values.
func holders(value any) []any {
	holders := []any{value, struct{ V any }{value}, &struct{ V any }{value}, struct{ v any }{value}, []any{value}}
	u := unexported{a: value}
	switch value := value.(type) {
	case Headers:
		u.h, u.p, u.hs, u.m = value, &value, []Headers{value}, map[string]Headers{"h": value}
		holders = append(holders, struct{ h Headers }{value}, struct{ p *Headers }{&value})
	case *Signer:
		u.s, u.ss = value, []*Signer{value}
		// fmt takes the signer itself out of it, which vet would not allow us to copy.
		holders = append(holders, struct{ s *Signer }{value}, reflect.ValueOf(value).Elem())
	}
	return append(holders, u, &u)
}

// shows formats the values in every way that Go has.
func shows(t *testing.T, values ...any) []string {
	var shown []string
	for _, value := range values {
		for _, holder := range holders(value) {
			for verb := 'A'; verb <= 'z'; verb++ {
				for _, flags := range []string{"", "+", "#", " "} {
					shown = append(shown, fmt.Sprintf("%"+flags+string(verb), holder))
				}
			}
		}
		nested := struct{ V any }{value}
		text, err := json.Marshal(nested)
		if err != nil || !json.Valid(text) {
			t.Errorf("%v: %s", err, text)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("shown", "value", value, "nested", nested)
		slog.New(slog.NewTextHandler(&log, nil)).Info("shown", "value", value, "nested", nested)
		shown = append(shown, string(text), log.String())
	}
	return shown
}

func TestAllocations(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []Level{Standard, Advanced} {
		signer := newTestSigner(t, level)
		at := testing.AllocsPerRun(1000, func() { _, _ = signer.HeadersAt(testNonce, timestampMin) })
		fresh := testing.AllocsPerRun(1000, func() { _, _ = signer.Headers() })
		request := testing.AllocsPerRun(1000, func() { _ = signer.SignRequest(req) })
		t.Logf("%s, %v key: HeadersAt %v, Headers %v, SignRequest %v allocations", Backend(), level, at, fresh, request)
		// One allocation is a string for all values, the other Headers or net/http's slice of values.
		if !instrumented && (at > 2 || fresh > 2 || request > 2) {
			t.Errorf("%v: more than 2", level)
		}
	}
}
