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
	// ErrInvalidOption: an option cannot be used.
	ErrInvalidOption = errors.New("cortexkey: invalid option")
	// ErrNilRequest: there is no request to sign.
	ErrNilRequest = errors.New("cortexkey: nil request")
	// ErrNonceSource: the source of nonces failed.
	ErrNonceSource = errors.New("cortexkey: no random bytes for a nonce")
	// ErrNotAdvanced: the key is Standard, which is sent as it is and signs nothing.
	ErrNotAdvanced = errors.New("cortexkey: not an Advanced key")
	// ErrClosed: what was asked has been closed.
	ErrClosed = errors.New("cortexkey: closed")
	// ErrRefused: a verifier refused a request; the error is the [Verdict] itself.
	ErrRefused = errors.New("cortexkey: request refused")
	// ErrUnknownKey: the keyring has no key of this id.
	ErrUnknownKey = errors.New("cortexkey: no such key")
	// ErrNilGuard: a verifier was to be made without a replay guard.
	ErrNilGuard = errors.New("cortexkey: no replay guard")
	// ErrHostNotAllowed: a transport was asked to send headers to a host that it was not given.
	ErrHostNotAllowed = errors.New("cortexkey: host not allowed")
	// ErrPlainHTTP: a transport was asked to send headers where everybody on the way can read them.
	ErrPlainHTTP = errors.New("cortexkey: plain HTTP")
	// ErrInvalidDefinitions: bytes are no compiled definitions, or were damaged.
	ErrInvalidDefinitions = errors.New("cortexkey: invalid definitions")
	// ErrNotFound: there is no such definition.
	ErrNotFound = errors.New("cortexkey: no such definition")
	// ErrAmbiguousName: several definitions have the name; give tenant/name.
	ErrAmbiguousName = errors.New("cortexkey: ambiguous name")
	// ErrInvalidQuestion: a question cannot be asked so.
	ErrInvalidQuestion = errors.New("cortexkey: invalid question")
	// ErrLibrary: the C library failed, or does not fit (with the build tag cortexkey_cgo only).
	ErrLibrary = errors.New("cortexkey: C library")
)
