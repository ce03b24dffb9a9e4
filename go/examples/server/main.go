// Package main is a loopback server that verifies requests. Usage: server KEY-ID standard|advanced
// The key comes from the environment variable CORTEXKEY_API_KEY. It prints its port, and stops at
// the end of its standard input.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

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
	// First is right only because no earlier process can have accepted a request with this key. A
	// server that restarts sets Started: time.Now(), and then refuses for a minute what the previous
	// process may have accepted.
	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 100 * 2 * 60, First: true})
	check(err)
	verifier, err := cortexkey.NewVerifier(keyring, guard,
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
