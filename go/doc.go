// Package cortexkey signs and verifies HTTP requests with the API keys of Palo Alto Networks Cortex products
// (XSOAR, XSIAM, XDR).
//
// A key is Standard (it is sent as it is) or Advanced (a SHA-256 digest of key, nonce and time is
// sent); the API Keys table of the console shows which, as Security Level. Guessing it is
// refused: it is an argument of [NewSigner].
//
//	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, os.Getenv("CORTEXKEY_API_KEY"))
//	if err != nil {
//		return err
//	}
//	defer signer.Close()
//
//	if err := signer.SignRequest(req); err != nil {
//		return err
//	}
//	resp, err := client.Do(req)
//
// Every attempt is signed anew, retries too. The signature covers neither method, path nor body:
// it shows who sends, not what was sent.
//
// # Redirects
//
// [net/http.Client] copies headers when it follows a redirect, and takes Authorization off only
// when the host changes. A client of this API should follow none: set CheckRedirect to return
// [net/http.ErrUseLastResponse].
//
// [NewTransport] makes a client's transport that signs each attempt, and sends headers to no host but
// those it was given.
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
//	verifier, err := cortexkey.NewVerifier(keyring, guard)
//	if err != nil {
//		return err
//	}
//	return http.ListenAndServe(addr, verifier.Middleware(handler))
//
// A signature covers neither method, path nor body, so a captured request can be sent once for any
// call; the guard, a [ReplayGuard], is all that stands between once and often.
//
// # Secrets
//
// A [Signer], a [Keyring], and the [Headers] of a Standard key, can sign. They print, log and marshal
// without the key, and no error holds it. What they keep is wiped by their Close; strings that
// net/http was given cannot be.
//
// # Backends
//
// The package is pure Go and needs no C compiler. With the build tag cortexkey_cgo the same API
// stands on the C library libcortexkey, which also has a replay guard in memory and decides what keys
// may do; [Backend] says which one a program has. Both give the same answers to the same vectors.
package cortexkey
