package cortexkey

// The errors, for errors.Is. No error holds a key, nor a byte of one.

import "errors"

var (
	// ErrInvalidKey: the key is not 1 to 256 bytes of visible ASCII.
	ErrInvalidKey = errors.New("cortexkey: invalid key")
	// ErrInvalidKeyID: the key id is 0.
	ErrInvalidKeyID = errors.New("cortexkey: invalid key id")
	// ErrInvalidLevel: the level is neither Standard nor Advanced.
	ErrInvalidLevel = errors.New("cortexkey: invalid level")
	// ErrInvalidNonce: the nonce is not 64 ASCII letters and digits.
	ErrInvalidNonce = errors.New("cortexkey: invalid nonce")
	// ErrInvalidTimestamp: the time is not 13 digits of milliseconds.
	ErrInvalidTimestamp = errors.New("cortexkey: invalid timestamp")
	// ErrInvalidOption: an option of NewSigner cannot be used.
	ErrInvalidOption = errors.New("cortexkey: invalid option")
	// ErrNilRequest: there is no request to sign.
	ErrNilRequest = errors.New("cortexkey: nil request")
	// ErrNonceSource: the source of nonces failed.
	ErrNonceSource = errors.New("cortexkey: no random bytes for a nonce")
	// ErrClosed: the signer was closed.
	ErrClosed = errors.New("cortexkey: signer is closed")
	// ErrLibrary: the C library failed, or does not fit (with the build tag cortexkey_cgo only).
	ErrLibrary = errors.New("cortexkey: C library")
)
