// Package main is a server on loopback that verifies: server KEY-ID standard|advanced
//
// The key comes from the environment, CORTEXKEY_API_KEY. It prints its address, and stops at the end
// of its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

// guard remembers tags in a map. It is short, not a model: with the C library take
// cortexkey.NewMemoryGuard, which is bounded and knows that it has just begun; elsewhere Redis.
type guard struct {
	mu   sync.Mutex
	tags map[[16]byte]time.Time
}

func (g *guard) Remember(_ context.Context, tag [16]byte, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for known, until := range g.tags {
		if until.Before(time.Now()) {
			delete(g.tags, known)
		}
	}
	if _, known := g.tags[tag]; known {
		return cortexkey.VerdictReplayed
	}
	g.tags[tag] = until
	return nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: CORTEXKEY_API_KEY=... server KEY-ID standard|advanced")
	}
	keyID, err := strconv.ParseUint(os.Args[1], 10, 64)
	check(err)
	level, err := cortexkey.ParseLevel(os.Args[2])
	check(err)
	keyring, err := cortexkey.NewKeyring()
	check(err)
	check(keyring.Put(keyID, level, os.Getenv("CORTEXKEY_API_KEY")))
	verifier, err := cortexkey.NewVerifier(keyring, &guard{tags: map[[16]byte]time.Time{}},
		cortexkey.WithRefusalLog(func(_ *http.Request, err error) { log.Print(err) }))
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() { check(http.Serve(listener, verifier.Middleware(http.HandlerFunc(hello)))) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func hello(w http.ResponseWriter, r *http.Request) {
	principal, _ := cortexkey.PrincipalFrom(r.Context())
	fmt.Fprintf(w, "hello, key %d\n", principal.KeyID)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
