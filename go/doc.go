// Package cortexkey signs HTTP requests with the API keys of Palo Alto Networks Cortex products
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
// # Secrets
//
// A [Signer], and the [Headers] of a Standard key, can sign. They print, log and marshal without
// the key, and no error holds it. What a signer keeps is wiped by [Signer.Close]; strings that net/http
// was given cannot be.
//
// # Backends
//
// The package is pure Go and needs no C compiler. With the build tag cortexkey_cgo the same API
// stands on the C library libcortexkey, found by pkg-config; [Backend] says which one a program
// has. Both give the same answers to the same vectors. Neither is the faster one by much: take
// the tag when one implementation for all your languages matters to you.
package cortexkey
