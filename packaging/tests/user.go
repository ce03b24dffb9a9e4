// Package main signs with the library that the Go module has in it.
package main

import (
	"fmt"
	"os"
	"strings"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if !strings.HasSuffix(cortexkey.Backend(), ", bundled") {
		return fmt.Errorf("the backend is %s", cortexkey.Backend())
	}
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		return err
	}
	defer signer.Close()
	headers, err := signer.HeadersAt(strings.Repeat("a", 64), 1_700_000_000_000)
	if err != nil {
		return err
	}
	const known = "cf8dfda1b705750a893d5b980ec2b259d7374b203889435f2cc6bbae46f1e6e9"
	if headers.Authorization() != known {
		return fmt.Errorf("signed %s", headers.Authorization())
	}
	fmt.Println(cortexkey.Backend())
	return nil
}
