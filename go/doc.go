// Package cortexkey signs and verifies HTTP requests with the API keys of Palo Alto Networks Cortex products
// (XSOAR 8, XDR, XSIAM and Cortex Cloud), and decides what a key may do.
//
// A Standard key is sent in the clear. An Advanced key signs: a SHA-256 digest of key, nonce and time is sent.
// The console's API Keys table shows which, as Security Level. A key does not reveal its level, so the level is
// an argument of [NewSigner].
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
// The transport signs every attempt, including those that net/http repeats, and sends headers only to the given
// hosts, so a client follows no redirect elsewhere. Pass a [SignerSource] instead of the signer to change keys
// while requests run; [NewFileSource] follows a file.
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
// Anyone who captures a request can send its headers again with any call. The guard, a [ReplayGuard], accepts
// them only once. [MemoryGuard] serves one process; several processes need a guard that they share.
//
// # Deciding
//
// [LoadDefinitions] loads a file from `cortexkey compile`, and [Definitions.Decide] answers what a key may do
// and see, and why.
//
// # Errors
//
// Test errors with [errors.Is]. Nil receivers and nil arguments return [ErrNil]. Values that were closed, or not
// created by their constructors, return [ErrClosed].
//
// # Secrets
//
// A [Signer], a [Keyring], and the [Headers] of a Standard key can sign. They print, log and marshal without
// the key, and no error contains it. Close wipes what they store; strings that were passed to net/http cannot
// be wiped.
//
// # The C library
//
// The package is pure Go and needs no C compiler. Package [github.com/cortexkey/cortexkey/go/lib] creates
// the same types over the C library libcortexkey, with the same answers.
package cortexkey
