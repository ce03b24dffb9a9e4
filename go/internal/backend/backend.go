// Package backend declares the interfaces that pure Go and the C library implement, and the values that pass
// between them. It has no behaviour.
package backend

import "errors"

// Errors of backends, which package cortexkey exports under the same names.
var (
	// ErrInvalidDefinitions: bytes are not compiled definitions, or are damaged.
	ErrInvalidDefinitions = errors.New("cortexkey: invalid definitions")
	// ErrNotFound: no such definition exists.
	ErrNotFound = errors.New("cortexkey: no such definition")
	// ErrAmbiguousName: several definitions have the name.
	ErrAmbiguousName = errors.New("cortexkey: ambiguous name")
	// ErrInvalidQuestion: a question exceeds a limit.
	ErrInvalidQuestion = errors.New("cortexkey: invalid question")
	// ErrInvalidGuard: a replay guard does not work with this keyring.
	ErrInvalidGuard = errors.New("cortexkey: the replay guard needs another backend")
	// ErrClosed: a handle was used after Close.
	ErrClosed = errors.New("cortexkey: closed")
	// ErrLibrary: the C library failed, or does not match its header.
	ErrLibrary = errors.New("cortexkey: C library")
)

const (
	// NonceBytes is the length of a nonce.
	NonceBytes = 64
	// DigestBytes is the number of hexadecimal digits of a digest.
	DigestBytes = 64
	// TimestampBytes is the number of digits of a timestamp.
	TimestampBytes = 13
)

// Signature has the memory layout of the C library's cxk_signature: each value ends with NUL.
type Signature struct {
	Authorization [DigestBytes + 1]byte
	Nonce         [NonceBytes + 1]byte
	Timestamp     [TimestampBytes + 1]byte
}

// Signer signs with one key of the C library.
type Signer interface {
	// Standard returns the key. Its level must be Standard.
	Standard() (string, error)
	// Sign fills each signature with the current time and a new nonce.
	Sign(signatures []Signature) error
	// SignAt signs with the given time, and with the nonce that the signature already contains.
	SignAt(ms int64, signature *Signature) error
	Close()
}

// Key has the properties of a key, without its bytes.
type Key struct {
	ID        uint64
	Advanced  bool
	Revoked   bool
	ExpiresMS uint64 // math.MaxUint64 if the key never expires
	CreatedMS uint64 // 0 if unknown
}

// Keyring holds keys by id. It may change while verifiers use it.
type Keyring interface {
	Put(key Key, bytes []byte) error
	// Revoke reports whether there was such a key.
	Revoke(id uint64) bool
	// Remove reports whether there was such a key.
	Remove(id uint64) bool
	// Verifier returns a verifier, which keeps the keys until it is closed. The guard is a guard of
	// the same backend, or nil if package cortexkey calls the guard.
	Verifier(guard LibraryGuard, skewMS uint64, lenientNonces bool) (Verifier, error)
	Close()
}

// GuardOptions configures a replay guard in memory.
type GuardOptions struct {
	Entries, Keys int
	UsesPerKey    uint32 // 0: no quota
	SkewMS        uint64
	StartedMS     uint64 // 0: nothing can have been accepted before
}

// LibraryGuard is a replay guard that only verifiers of the C library can use.
type LibraryGuard interface {
	// InLibrary calls use with the handle, which is not freed during the call.
	InLibrary(use func(handle any) error) error
}

// Verifier checks requests. Without a guard of its own, it does not detect replays.
type Verifier interface {
	Verify(r Request, nowMS uint64) (Principal, int32)
	// VerifyBatch sets each outcome to what Verify would return. Both slices have the same length.
	VerifyBatch(requests []Request, nowMS uint64, outcomes []Outcome)
	Close()
}

// Request holds the values of the four headers as received; nil for a missing header.
type Request struct {
	KeyID, Authorization, Nonce, Timestamp *string
}

// Outcome is what Verify returns.
type Outcome struct {
	Principal Principal
	Verdict   int32
}

// Principal is the sender of a request that is valid apart from a possible replay.
type Principal struct {
	KeyID     uint64
	ExpiresMS uint64
	CreatedMS uint64
	SignedMS  uint64 // 0 with a Standard key
	Advanced  bool
	// For a replay guard; zeros with a Standard key, or if the backend has called its own guard.
	Tag             [16]byte
	RememberUntilMS uint64
}

// Definitions holds compiled definitions.
type Definitions interface {
	At(at int) (Definition, error)
	Find(name string) (int, error)
	FindID(keyID uint64) (int, error)
	Decide(at int, question *Question) (Decision, error)
	Close()
}

// Definition is a key definition.
type Definition struct {
	Name, Tenant                 string
	KeyID, ExpiresMS, LifetimeMS uint64
	Advanced                     bool
}

// Answer is the answer to a question.
type Answer int

// The answers.
const (
	Unknown Answer = iota
	Refused
	Allowed
)

// Decision is an answer with its explanation.
type Decision struct {
	Answer, IfEnforced Answer
	ScopesOff          bool
	Why                string
}

// Limits of questions, the same in each backend.
const (
	TextBytesMax = 4096
	ListMax      = 4096
)

// Kind is the kind of a question; the numbers are the C library's.
type Kind uint32

// The kinds.
const (
	Component      Kind = 1
	Action         Kind = 2
	Asset          Kind = 3
	Finding        Kind = 4
	IssueKind      Kind = 5
	Case           Kind = 6
	EndpointKind   Kind = 7
	ManageEndpoint Kind = 8
	DatasetRow     Kind = 9
)

// Question is a question for Decide. The kind determines which fields are used.
type Question struct {
	Kind         Kind
	Permission   uint32
	Name         string
	Groups, Tags []string
	References   []Reference
	Issues       []Issue
	Fields       [][2]string
}

// Kinds of references; the numbers are the C library's.
const (
	AssetReference   = 1
	DeletedReference = 2
	UnknownReference = 3
)

// Reference is what an issue references.
type Reference struct {
	Kind     uint32
	Groups   []string
	Endpoint *Endpoint
}

// Endpoint is an endpoint's groups and tags.
type Endpoint struct {
	Groups, Tags []string
}

// Issue is an issue of a case.
type Issue struct {
	Domain     string
	References []Reference
}
