package cortexkey_test

// The examples of the package's documents.

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

func Example() {
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	url := "https://api-tenant.xdr.us.paloaltonetworks.com/api_keys/validate/"
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := signer.SignRequest(req); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(req.Header.Get(cortexkey.HeaderKeyID), len(req.Header.Get(cortexkey.HeaderNonce)))
	// Output: 7 64
}

func ExampleSigner_HeadersAt() {
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	headers, err := signer.HeadersAt(strings.Repeat("a", 64), 1_700_000_000_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(headers.Authorization())
	// Output: cf8dfda1b705750a893d5b980ec2b259d7374b203889435f2cc6bbae46f1e6e9
}

func ExampleHeaders_All() {
	signer, err := cortexkey.NewSigner(7, cortexkey.Standard, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	headers, err := signer.Headers()
	if err != nil {
		fmt.Println(err)
		return
	}
	for name := range headers.All() {
		fmt.Println(name)
	}
	fmt.Println(headers) // never shows the key
	// Output:
	// X-Xdr-Auth-Id
	// Authorization
	// cortexkey.Headers{key id 7, REDACTED}
}

func ExampleWithClock() {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := cortexkey.WithClock(func() time.Time { return noon })
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key", clock)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	headers, err := signer.Headers()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(headers.Timestamp(), signer)
	// Output: 1795435200000 cortexkey.Signer{key id 7, advanced}
}
