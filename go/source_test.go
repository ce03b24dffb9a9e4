package cortexkey

// Sources of signers: keys that change while requests run.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func keyFile(id uint64, level, key string) string {
	return fmt.Sprintf("# rotated\nCORTEXKEY_API_KEY_ID=%d\nCORTEXKEY_API_KEY_TYPE=%s\nCORTEXKEY_API_KEY=%s\n", id, level, key)
}

// replace replaces a file atomically, as Kubernetes replaces a mounted secret.
func replace(t *testing.T, path, contents string) {
	if err := os.WriteFile(path+".new", []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// lookAgain lets a source read its file at the next call, without waiting for a second.
func lookAgain(f *FileSource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = time.Time{}
}

func TestAFileSourceFollowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.env")
	replace(t, path, keyFile(7, "advanced", testKey))
	var logged []error
	source, err := NewFileSource(path, nil, func(err error) { logged = append(logged, err) })
	if err != nil {
		t.Fatal(err)
	}
	want := func(id uint64, level Level, logs int) *Signer {
		t.Helper()
		lookAgain(source)
		signer, err := source.Signer(t.Context())
		if err != nil || signer.KeyID() != id || signer.Level() != level || len(logged) != logs {
			t.Fatalf("%v %v %v", signer, err, logged)
		}
		return signer
	}
	first := want(7, Advanced, 0)
	replace(t, path, keyFile(8, "standard", "another"))
	want(8, Standard, 0)
	if err := errOf(first.Headers()); !errors.Is(err, ErrClosed) {
		t.Errorf("the signer before: %v", err)
	}
	// A file that cannot be read leaves the key in use; the error does not show its content.
	for i, contents := range []string{
		"", keyFile(0, "advanced", testKey), keyFile(7, testKey, testKey), keyFile(7, "advanced", "with a space"),
		"CORTEXKEY_API_KEY " + testKey, keyFile(7, "advanced", testKey) + keyFile(7, "advanced", testKey), "{" + testKey,
		`{"CORTEXKEY_API_KEY_ID": 7, "CORTEXKEY_API_KEY": "` + testKey + `"}`, strings.Repeat("#\n", 40<<10),
	} {
		replace(t, path, contents)
		want(8, Standard, i+1)
		if text := logged[i].Error(); strings.Contains(text, testKey) || !strings.Contains(text, path) {
			t.Error(text)
		}
	}
	logs := len(logged)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want(8, Standard, logs+1)
	replace(t, path, `{"CORTEXKEY_API_KEY_ID": "9", "CORTEXKEY_API_KEY_TYPE": "advanced", "CORTEXKEY_API_KEY": "`+testKey+`"}`)
	want(9, Advanced, logs+1)
	// Written in place, with the same size and within one tick of the file system's clock.
	if err := os.WriteFile(path, []byte(strings.Replace(readFile(t, path), `"9"`, `"6"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	want(6, Advanced, logs+1)
	for range 2 {
		_ = source.Close()
	}
	if err := errOf(source.Signer(t.Context())); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func readFile(t *testing.T, path string) string {
	contents, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(contents)
}

func TestNewFileSourceRefuses(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "key")
	replace(t, path, testKey)
	failing := func([]byte) (*Signer, error) { return nil, errors.New("no") }
	nothing := func([]byte) (*Signer, error) { return nil, nil }
	for name, err := range map[string]error{
		"no file": errOf(NewFileSource(filepath.Join(folder, "none"), nil, nil)), "a folder": errOf(NewFileSource(folder, nil, nil)),
		"the key alone": errOf(NewFileSource(path, nil, nil)), "parse": errOf(NewFileSource(path, failing, nil)),
		"parse without a signer": errOf(NewFileSource(path, nothing, nil)),
	} {
		if !errors.Is(err, ErrKeyFile) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	source, err := NewFileSource(path, func(key []byte) (*Signer, error) { return NewSigner(7, Advanced, key) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = source.Close()
}

// Keys change while requests run: no request fails, and each is signed with one of the keys.
func TestRotationWhileRequestsRun(t *testing.T) {
	var sent atomic.Int32
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		id, level := r.Header.Get(HeaderKeyID), Advanced
		if id == "2" {
			level = Standard
		}
		if (r.Header.Get(HeaderNonce) != "") != (level == Advanced) {
			t.Errorf("key %s: %v", id, r.Header)
		}
		sent.Add(1)
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	path := filepath.Join(t.TempDir(), "key.env")
	replace(t, path, keyFile(1, "advanced", testKey))
	source, err := NewFileSource(path, nil, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	transport, err := NewTransport(source, base, "host")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 300 {
				request, _ := http.NewRequest(http.MethodGet, "https://host/", http.NoBody)
				if _, err := transport.RoundTrip(request); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	for i := range 100 {
		if i%2 == 0 {
			replace(t, path, keyFile(2, "standard", testKey))
		} else {
			replace(t, path, keyFile(1, "advanced", testKey))
		}
		lookAgain(source)
	}
	all.Wait()
	if sent.Load() != 8*300 {
		t.Error(sent.Load())
	}
}

func TestSourcesThatFail(t *testing.T) {
	no := errors.New("no key")
	for _, test := range []struct {
		source SignerFunc
		want   error
	}{
		{func(context.Context) (*Signer, error) { return nil, no }, no},
		{func(context.Context) (*Signer, error) { return nil, nil }, ErrNil},
		{func(context.Context) (*Signer, error) { return new(Signer), nil }, ErrClosed},
	} {
		for _, base := range []http.RoundTripper{nil, roundTripper(nil)} {
			transport, err := NewTransport(test.source, base, "localhost:1")
			if err != nil {
				t.Fatal(err)
			}
			request, _ := http.NewRequest(http.MethodPost, "http://localhost:1/", http.NoBody)
			body := &closing{}
			request.Body = body
			if _, err := transport.RoundTrip(request); !errors.Is(err, test.want) || !body.closed {
				t.Errorf("%v, closed %v", err, body.closed)
			}
		}
	}
}

func TestLevelsAsText(t *testing.T) {
	type config struct{ Level Level }
	for _, level := range []Level{Standard, Advanced} {
		text, err := json.Marshal(config{level})
		var read config
		if err != nil || string(text) != fmt.Sprintf(`{"Level":%q}`, level) || json.Unmarshal(text, &read) != nil || read.Level != level {
			t.Errorf("%s %v", text, err)
		}
	}
	if _, err := json.Marshal(config{}); !errors.Is(err, ErrInvalidLevel) {
		t.Error(err)
	}
	read := config{Standard}
	if err := json.Unmarshal([]byte(`{"Level":"Advanced"}`), &read); !errors.Is(err, ErrInvalidLevel) || read.Level != Standard {
		t.Errorf("%v %v", err, read)
	}
	if err := errOf(ParseLevel(testKey + testKey)); strings.Contains(err.Error(), testKey) {
		t.Error(err)
	}
}

func TestPutTakesBytes(t *testing.T) {
	ring := newTestKeyring(t)
	key := []byte(testKey)
	if err := ring.PutBytes(7, Advanced, key); err != nil || string(key) != testKey {
		t.Fatal(err, string(key))
	}
	clear(key)
	if _, err := newTestVerifier(t, ring, timestampMin).Verify(t.Context(), signed(t, Advanced)); err != nil {
		t.Error(err)
	}
	for _, shown := range shows(t, ring) {
		for _, secret := range forms(testKey) {
			if strings.Contains(shown, secret) {
				t.Errorf("%q shows the key", shown)
			}
		}
	}
}
