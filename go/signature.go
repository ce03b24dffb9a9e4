package cortexkey

// A reusable signature buffer for [Signer.Sign].

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Signature is the digest, nonce and time of one request, for [Signer.Sign]. It can be reused. It
// prints without its values, because anyone who reads a signature before it is used can send a
// request with it.
type Signature struct {
	values backend.Signature
}

// Authorization is the value of [HeaderAuthorization]. The bytes belong to the signature.
func (s *Signature) Authorization() []byte {
	if s == nil {
		return nil
	}
	return s.values.Authorization[:digestBytes]
}

// Nonce is the value of [HeaderNonce]. The bytes belong to the signature.
func (s *Signature) Nonce() []byte {
	if s == nil {
		return nil
	}
	return s.values.Nonce[:nonceBytes]
}

// Timestamp is the value of [HeaderTimestamp]. The bytes belong to the signature.
func (s *Signature) Timestamp() []byte {
	if s == nil {
		return nil
	}
	return s.values.Timestamp[:timestampBytes]
}

const redactedSignature = "cortexkey.Signature{REDACTED}"

// Format writes no value, whatever the verb.
func (s Signature) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedSignature) }

// LogValue returns no value.
func (s Signature) LogValue() slog.Value { return slog.StringValue(redactedSignature) }

// MarshalJSON writes no value.
func (s Signature) MarshalJSON() ([]byte, error) { return []byte(`"REDACTED"`), nil }
