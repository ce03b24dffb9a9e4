// Package cortexkey signs and verifies HTTP requests with the API keys of Palo Alto Networks Cortex
// products (XSOAR 8, XDR, XSIAM and Cortex Cloud), and decides what a key may do. A request with a
// Standard key carries the key itself. A request with an Advanced key carries a nonce, the time,
// and a SHA-256 digest of the key, nonce and time. The Security Level column of the console's API
// Keys table shows the level of a key. The key does not reveal it, so the level is an argument of
// [NewSigner].
//
//	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, os.Getenv("CORTEXKEY_API_KEY"))
//	if err != nil {
//		return err
//	}
//	defer signer.Close()
//
//	transport, err := cortexkey.NewTransport(signer, nil, "api-acme.xdr.us.paloaltonetworks.com")
//	if err != nil {
//		return err
//	}
//	client := &http.Client{Transport: transport}
//
// The transport signs every attempt, including those that net/http repeats, and sends headers only to the
// given hosts, so a client does not follow a redirect to another host. Pass a [SignerSource] instead of the
// signer to change keys while requests run; [NewFileSource] follows a file.
//
// [Signer.SignRequest] signs one request. Sign every attempt, and set CheckRedirect of [net/http.Client] to
// return [net/http.ErrUseLastResponse], because the client copies headers when it follows a redirect.
//
// The signature covers neither method, path nor body: it authenticates the sender, not the request.
//
// # Verifying
//
//	keyring, err := cortexkey.NewKeyring()
//	if err != nil {
//		return err
//	}
//	if err := keyring.Put(7, cortexkey.Advanced, key); err != nil {
//		return err
//	}
//	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 120_000, Started: time.Now()})
//	if err != nil {
//		return err
//	}
//	verifier, err := cortexkey.NewVerifier(keyring, guard)
//	if err != nil {
//		return err
//	}
//	return http.ListenAndServe(addr, verifier.Middleware(handler))
//
// Anyone who captures a request can send its headers again with any other call. The guard, a [ReplayGuard],
// accepts the headers of an Advanced request only once. [MemoryGuard] serves one process; several processes
// need a guard that they share.
//
// # Deciding
//
// [LoadDefinitions] loads a file from `cortexkey compile`, and [Definitions.Decide] answers what a key may do
// and see, and why.
//
// # Errors
//
// Test errors with [errors.Is]. A nil receiver returns [ErrNil]. A nil argument returns [ErrNil] or
// a more specific error: [ErrNilRequest], [ErrNilGuard], or [ErrInvalidOption] for an option.
// Values that were closed, or not created by their constructors, return [ErrClosed].
//
// # Secrets
//
// A [Signer], a [Keyring], and the [Headers] of a Standard key can sign. They print, log and marshal without
// the key, and no error contains it. Close wipes what they store; strings that were passed to net/http cannot
// be wiped.
//
// # The C library
//
// The package is pure Go and needs no C compiler. Package [github.com/cortexkey/cortexkey/go/lib]
// creates the same types on top of the C library libcortexkey, with the same results.
package cortexkey
