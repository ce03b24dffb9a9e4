// Package main is a client that signs a request. Usage: client URL KEY-ID standard|advanced The key
// comes from the environment variable CORTEXKEY_API_KEY.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: CORTEXKEY_API_KEY=... client URL KEY-ID standard|advanced")
	}
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	keyID, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	level, err := cortexkey.ParseLevel(args[2])
	if err != nil {
		return err
	}
	signer, err := cortexkey.NewSigner(keyID, level, os.Getenv("CORTEXKEY_API_KEY"))
	if err != nil {
		return err
	}
	defer signer.Close()
	transport, err := cortexkey.NewTransport(signer, nil, target.Host)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport}
	response, err := client.Post(target.String(), "application/json", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	fmt.Printf("%s\n%s\n%s\n", body, response.Status, cortexkey.Backend())
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("refused: %s", response.Status)
	}
	return err
}
