package cortexkey

// The security level of a key. There is no default: the zero Level is invalid.

import (
	"fmt"
	"log/slog"
)

// Level is a key's Security Level, as the API Keys table shows it.
type Level int

const (
	// Standard keys are sent in the clear.
	Standard Level = 1
	// Advanced keys are never sent; requests carry a digest of key, nonce and time.
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
	// The text itself is not repeated: level and key may have been mixed up.
	return 0, fmt.Errorf("%w: a text of %d bytes; it is \"standard\" or \"advanced\", in lower case", ErrInvalidLevel, len(text))
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

// MarshalText writes "standard" or "advanced". Another level is an error.
func (l Level) MarshalText() ([]byte, error) {
	if l != Standard && l != Advanced {
		return nil, fmt.Errorf("%w: %s; it is Standard or Advanced", ErrInvalidLevel, l)
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads what [ParseLevel] reads.
func (l *Level) UnmarshalText(text []byte) error {
	if l == nil {
		return fmt.Errorf("%w: *Level", ErrNil)
	}
	parsed, err := ParseLevel(string(text))
	if err == nil {
		*l = parsed
	}
	return err
}

// LogValue returns the name of the level.
func (l Level) LogValue() slog.Value { return slog.StringValue(l.String()) }
