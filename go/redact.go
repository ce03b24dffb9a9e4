package cortexkey

// Formats a signer as its key id and level. No format or encoding shows its secret.

import (
	"fmt"
	"io"
	"log/slog"
)

// String returns the key's id and level.
func (s *Signer) String() string {
	if s == nil {
		return "cortexkey.Signer(nil)"
	}
	return fmt.Sprintf("cortexkey.Signer{key id %d, %s}", s.keyID, s.level)
}

// GoString returns the key's id and level.
func (s *Signer) GoString() string { return s.String() }

// Format writes the key's id and level, whatever the verb; %d would otherwise print the fields.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns the key's id and level.
func (s *Signer) LogValue() slog.Value {
	if s == nil {
		return slog.StringValue(s.String())
	}
	return slog.GroupValue(slog.Uint64("key_id", s.keyID), slog.String("level", s.level.String()))
}

// MarshalJSON writes the key's id and level. A signer cannot be read back from it.
func (s *Signer) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, `{"key_id":%d,"level":%q}`, s.keyID, s.level.String()), nil
}
