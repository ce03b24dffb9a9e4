// Package cortexkey signs and verifies HTTP requests with the API keys of Palo Alto Networks Cortex products
// (XSOAR, XSIAM, XDR), and decides what a key may do.
//
// A key is Standard (it is sent as it is) or Advanced (a SHA-256 digest of key, nonce and time is
// sent); the API Keys table of the console shows which, as Security Level. The level cannot be guessed
// from a key, so it is an argument of [NewSigner].
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
// The transport signs every attempt, also those that net/http makes by itself, and sends headers to no
// host but those it was given, so a client follows no redirect elsewhere. A [SignerSource] in place of the
// signer lets keys change while requests run; [NewFileSource] follows a file.
//
// [Signer.SignRequest] signs one request. Sign each attempt anew, and set CheckRedirect of
// [net/http.Client] to return [net/http.ErrUseLastResponse]: it copies headers when it follows a redirect.
//
// The signature covers neither method, path nor body: it shows who sends, not what was sent.
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
// A captured request can be sent again for any call. The guard, a [ReplayGuard], is what has it accepted
// only once. [MemoryGuard] serves one process; several processes need a guard that they share.
//
// # Deciding
//
// [LoadDefinitions] reads what `cortexkey compile` wrote, and [Definitions.Decide] answers what a key may
// do and see, and why.
//
// # Errors
//
// Errors are for [errors.Is]. Nil receivers and nil arguments are errors ([ErrNil]), and values that were
// closed, or not made by their constructors, return [ErrClosed].
//
// # Secrets
//
// A [Signer], a [Keyring], and the [Headers] of a Standard key, can sign. They print, log and marshal
// without the key, and no error holds it. What they keep is wiped by their Close; strings that
// net/http was given cannot be.
//
// # The C library
//
// The package is pure Go and needs no C compiler. Package [github.com/cortexkey/cortexkey/go/lib] makes
// the same types over the C library libcortexkey, with the same answers.
package cortexkey
