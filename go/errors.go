package cortexkey

// The errors, for errors.Is. No error contains any part of a key.

import (
	"errors"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

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
	// ErrInvalidOption: an option is out of its range.
	ErrInvalidOption = errors.New("cortexkey: invalid option")
	// ErrNil: a receiver or an argument that must not be nil is nil.
	ErrNil = errors.New("cortexkey: nil")
	// ErrNilRequest: there is no request to sign.
	ErrNilRequest = errors.New("cortexkey: nil request")
	// ErrNonceSource: the source of nonces failed.
	ErrNonceSource = errors.New("cortexkey: no random bytes for a nonce")
	// ErrNotAdvanced: the key is Standard; only Advanced keys have signatures.
	ErrNotAdvanced = errors.New("cortexkey: not an Advanced key")
	// ErrClosed: a value was used after its Close, or was not created by its constructor.
	ErrClosed = backend.ErrClosed
	// ErrRefused: a verifier refused a request; the error is the [Verdict] itself.
	ErrRefused = errors.New("cortexkey: request refused")
	// ErrUnknownKey: the keyring has no key with this id.
	ErrUnknownKey = errors.New("cortexkey: no such key")
	// ErrNilGuard: NewVerifier got no replay guard.
	ErrNilGuard = errors.New("cortexkey: no replay guard")
	// ErrInvalidGuard: the replay guard works with keyrings of package lib only.
	ErrInvalidGuard = backend.ErrInvalidGuard
	// ErrHostNotAllowed: a request goes to a host that the transport was not given.
	ErrHostNotAllowed = errors.New("cortexkey: host not allowed")
	// ErrPlainHTTP: a request would send headers over plain HTTP to another machine.
	ErrPlainHTTP = errors.New("cortexkey: plain HTTP")
	// ErrRepeated: the connection broke repeatedly before a response arrived.
	ErrRepeated = errors.New("cortexkey: connection lost")
	// ErrKeyFile: a file is not a valid key file.
	ErrKeyFile = errors.New("cortexkey: key file")
	// ErrInvalidDefinitions: bytes are not compiled definitions, or are damaged.
	ErrInvalidDefinitions = backend.ErrInvalidDefinitions
	// ErrNotFound: no such definition exists.
	ErrNotFound = backend.ErrNotFound
	// ErrAmbiguousName: several definitions have the name; use tenant/name.
	ErrAmbiguousName = backend.ErrAmbiguousName
	// ErrInvalidQuestion: a question exceeds a limit, or asks for an invalid permission.
	ErrInvalidQuestion = backend.ErrInvalidQuestion
	// ErrLibrary: the C library failed, or does not match its header.
	ErrLibrary = backend.ErrLibrary
)
