package cortexkey

// The security level of a key. It refuses a default: the zero Level is none.

import (
	"fmt"
	"log/slog"
)

// Level is how a key authenticates: the Security Level in the API Keys table.
type Level int

const (
	// Standard keys are sent as they are.
	Standard Level = 1
	// Advanced keys are never sent; a digest of key, nonce and time is.
	Advanced Level = 2
)

// ParseLevel reads "standard" or "advanced", as the product's API writes them.
func ParseLevel(text string) (Level, error) {
	switch text {
	case "standard":
		return Standard, nil
	case "advanced":
		return Advanced, nil
	}
	return 0, fmt.Errorf("%w: %q; it is \"standard\" or \"advanced\"", ErrInvalidLevel, text)
}

// String returns "standard" or "advanced".
func (l Level) String() string {
	switch l {
	case Standard:
		return "standard"
	case Advanced:
		return "advanced"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// LogValue returns the name of the level.
func (l Level) LogValue() slog.Value { return slog.StringValue(l.String()) }
