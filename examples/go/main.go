// Package main runs a server that verifies every request and a client that signs every attempt, and shows
// that headers which were captured are refused.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

const key = "a-key-of-the-example"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	verifier, err := newVerifier()
	if err != nil {
		return err
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := cortexkey.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "hello, key %d", principal.KeyID)
	})
	server := httptest.NewServer(verifier.Middleware(hello))
	defer server.Close()

	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, key)
	if err != nil {
		return err
	}
	defer signer.Close()
	target, err := url.Parse(server.URL)
	if err != nil {
		return err
	}
	// The transport signs each attempt, and sends the headers only to this host.
	transport, err := cortexkey.NewTransport(signer, nil, target.Host)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport}
	for range 2 {
		if err := call(client, server.URL, nil, http.StatusOK); err != nil {
			return err
		}
	}

	// Replay captured headers: the request is refused.
	request, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	if err := signer.SignRequest(request); err != nil {
		return err
	}
	if err := call(http.DefaultClient, server.URL, request.Header, http.StatusOK); err != nil {
		return err
	}
	return call(http.DefaultClient, server.URL, request.Header, http.StatusUnauthorized)
}

// newVerifier returns a verifier of one key, with a replay guard.
func newVerifier() (*cortexkey.Verifier, error) {
	keyring, err := cortexkey.NewKeyring()
	if err != nil {
		return nil, err
	}
	if err := keyring.Put(7, cortexkey.Advanced, key); err != nil {
		return nil, err
	}
	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{
		Entries: 12_000, // 100 requests a second, for twice the skew of a minute
		First:   true,   // after a restart set Started instead
	})
	if err != nil {
		return nil, err
	}
	return cortexkey.NewVerifier(keyring, guard)
}

func call(client *http.Client, url string, header http.Header, want int) error {
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header.Clone()
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	fmt.Println(response.StatusCode, string(body))
	if response.StatusCode != want {
		return fmt.Errorf("expected status %d, got %d", want, response.StatusCode)
	}
	return nil
}
