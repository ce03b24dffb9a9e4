package cortexkey_test

// The examples of the package documentation.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

func ExampleNewTransport() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "signed with key %s", r.Header.Get(cortexkey.HeaderKeyID))
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://") // api-acme.xdr.us.paloaltonetworks.com

	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()
	transport, err := cortexkey.NewTransport(signer, nil, host)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	response, err := client.Post(server.URL+"/api_keys/validate/", "application/json", strings.NewReader("{}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(string(body), err)
	_, err = client.Get("https://elsewhere.example/")
	fmt.Println(errors.Is(err, cortexkey.ErrHostNotAllowed))
	// Output:
	// signed with key 7 <nil>
	// true
}

// Rotating a key: after the file is replaced, requests are signed with the new key.
func ExampleNewFileSource() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "cortex.env") // a mounted secret, say
	file := "CORTEXKEY_API_KEY_ID=7\nCORTEXKEY_API_KEY_TYPE=advanced\nCORTEXKEY_API_KEY=test-api-key\n"
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	source, err := cortexkey.NewFileSource(path, nil, func(err error) { fmt.Println("the key stays:", err) })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	transport, err := cortexkey.NewTransport(source, nil, "api-acme.xdr.us.paloaltonetworks.com")
	fmt.Println(transport != nil, err)
	// Output: true <nil>
}

func ExampleNewVerifier() {
	keyring, err := cortexkey.NewKeyring()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer keyring.Close()
	if err := keyring.Put(7, cortexkey.Advanced, "test-api-key"); err != nil {
		fmt.Println(err)
		return
	}
	// 1,000 requests per second, times twice the skew of 60 seconds.
	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 120_000, First: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := cortexkey.NewVerifier(keyring, guard)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()

	request := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()
	if err := signer.SignRequest(request); err != nil {
		fmt.Println(err)
		return
	}
	principal, err := verifier.Verify(request.Context(), request.Header)
	fmt.Println(principal.KeyID, principal.Level, err)
	_, err = verifier.Verify(request.Context(), request.Header)
	fmt.Println(err, errors.Is(err, cortexkey.VerdictReplayed))
	// Output:
	// 7 advanced <nil>
	// cortexkey: replayed: the request was accepted before true
}

func ExampleVerifier_Middleware() {
	keyring, err := cortexkey.NewKeyring()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer keyring.Close()
	if err := keyring.Put(7, cortexkey.Advanced, "test-api-key"); err != nil {
		fmt.Println(err)
		return
	}
	// After a restart, the service refuses for a minute what the previous process may have accepted.
	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 120_000, Started: time.Now()})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := cortexkey.NewVerifier(keyring, guard, cortexkey.WithRefusalLog(func(_ *http.Request, err error) {
		fmt.Println("refused:", err)
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()

	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := cortexkey.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "hello, key %d", principal.KeyID)
	})
	recorder := httptest.NewRecorder()
	verifier.Middleware(hello).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	fmt.Println(recorder.Code)
	// Output:
	// refused: cortexkey: missing-header: an authentication header is missing
	// 401
}

func ExampleDefinitions_Decide() {
	compiled, err := os.ReadFile("testdata/definitions/after.ckc") // from cortexkey compile
	if err != nil {
		fmt.Println(err)
		return
	}
	definitions, err := cortexkey.LoadDefinitions(compiled)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer definitions.Close()
	at, err := definitions.FindID(17) // such as a principal's KeyID
	if err != nil {
		fmt.Println(err)
		return
	}
	decision, err := definitions.Decide(at, cortexkey.AssetQuestion{Groups: []string{"prod-eu"}})
	fmt.Println(decision.Allowed(), decision.Why, err)
	// Output: true allowed: assets: prod-eu is selected <nil>
}

func ExampleSigner_SignBatch() {
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	signatures := make([]cortexkey.Signature, 100)
	if err := signer.SignBatch(signatures); err != nil {
		fmt.Println(err)
		return
	}
	first, last := &signatures[0], &signatures[99]
	fmt.Println(len(first.Authorization()), len(first.Nonce()), string(first.Nonce()) != string(last.Nonce()))
	fmt.Println(string(first.Timestamp()) == string(last.Timestamp()))
	// Output:
	// 64 64 true
	// true
}

func ExampleWithChildTenant() {
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key", cortexkey.WithChildTenant("child-1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	headers, err := signer.Headers()
	fmt.Println(headers.ChildTenant(), err)
	// Output: child-1 <nil>
}

func ExampleParseKeyFile() {
	file := `{"CORTEXKEY_API_KEY_ID": "7", "CORTEXKEY_API_KEY_TYPE": "advanced", "CORTEXKEY_API_KEY": "test-api-key"}`
	signer, err := cortexkey.ParseKeyFile([]byte(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()
	fmt.Println(signer)

	_, err = cortexkey.ParseKeyFile([]byte("test-api-key\n"))
	fmt.Println(errors.Is(err, cortexkey.ErrKeyFile))
	// Output:
	// cortexkey.Signer{key id 7, advanced}
	// true
}

// A source that selects the key of the tenant in the request's context.
func ExampleSignerFunc() {
	type tenantKey struct{}
	signers := map[string]*cortexkey.Signer{}
	for id, tenant := range []string{"eu", "us"} {
		signer, err := cortexkey.NewSigner(uint64(id)+7, cortexkey.Advanced, "test-api-key")
		if err != nil {
			fmt.Println(err)
			return
		}
		defer signer.Close()
		signers[tenant] = signer
	}

	source := cortexkey.SignerFunc(func(ctx context.Context) (*cortexkey.Signer, error) {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		signer, ok := signers[tenant]
		if !ok {
			return nil, fmt.Errorf("no key for tenant %q", tenant)
		}
		return signer, nil
	})
	signer, err := source.Signer(context.WithValue(context.Background(), tenantKey{}, "us"))
	fmt.Println(signer, err)
	// Output: cortexkey.Signer{key id 8, advanced} <nil>
}

func ExampleVerifier_VerifyBatch() {
	keyring, err := cortexkey.NewKeyring()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer keyring.Close()
	if err := keyring.Put(7, cortexkey.Advanced, "test-api-key"); err != nil {
		fmt.Println(err)
		return
	}
	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 120_000, First: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := cortexkey.NewVerifier(keyring, guard)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signer.Close()

	request := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	if err := signer.SignRequest(request); err != nil {
		fmt.Println(err)
		return
	}
	batch := []http.Header{request.Header, request.Header, {}} // the second is a replay
	for _, outcome := range verifier.VerifyBatch(context.Background(), batch) {
		fmt.Println(outcome.Principal.KeyID, outcome.Err)
	}
	// Output:
	// 7 <nil>
	// 0 cortexkey: replayed: the request was accepted before
	// 0 cortexkey: missing-header: an authentication header is missing
}

func ExampleDefinitions_All() {
	compiled, err := os.ReadFile("testdata/definitions/after.ckc") // from cortexkey compile
	if err != nil {
		fmt.Println(err)
		return
	}
	definitions, err := cortexkey.LoadDefinitions(compiled)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer definitions.Close()
	for index, definition := range definitions.All() {
		fmt.Println(index, definition.Tenant, definition.Name, definition.KeyID, definition.Level)
	}
	// Output:
	// 0 eu export 17 advanced
	// 1 lab lab 0 standard
	// 2 old lab 0 advanced
}
