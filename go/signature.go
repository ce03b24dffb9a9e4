package cortexkey

// What an Advanced key signs one request with, in memory of the caller's.

import (
	"fmt"
	"io"
	"log/slog"
)

// Signature is the digest, nonce and time of one request, for [Signer.Sign], which allocates
// nothing. It can be used again, and prints without its values: before it is sent it is as good as
// a password.
type Signature struct {
	// As the C library lays it out: each value ends with NUL.
	authorization [digestBytes + 1]byte
	nonce         [nonceBytes + 1]byte
	timestamp     [timestampBytes + 1]byte
}

// Authorization is the value of [HeaderAuthorization]. The bytes are the signature's own.
func (s *Signature) Authorization() []byte { return s.authorization[:digestBytes] }

// Nonce is the value of [HeaderNonce]. The bytes are the signature's own.
func (s *Signature) Nonce() []byte { return s.nonce[:nonceBytes] }

// Timestamp is the value of [HeaderTimestamp]. The bytes are the signature's own.
func (s *Signature) Timestamp() []byte { return s.timestamp[:timestampBytes] }

const redactedSignature = "cortexkey.Signature{REDACTED}"

// Format writes no value, whatever the verb.
func (s Signature) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedSignature) }

// LogValue returns no value.
func (s Signature) LogValue() slog.Value { return slog.StringValue(redactedSignature) }

// MarshalJSON writes no value.
func (s Signature) MarshalJSON() ([]byte, error) { return []byte(`"REDACTED"`), nil }
