package cortexkey

// The security level of a key. There is no default: the zero Level is invalid.

import (
	"fmt"
	"log/slog"
)

// Level is a key's Security Level, as the API Keys table shows it.
type Level int

const (
	// Standard keys are sent as they are: every request carries the key itself.
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
	// The error does not repeat the text: it may be a key that was passed as the level.
	return 0, fmt.Errorf("%w: a string of %d bytes; expected \"standard\" or \"advanced\", in lower case", ErrInvalidLevel, len(text))
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
		return nil, fmt.Errorf("%w: %s; expected Standard or Advanced", ErrInvalidLevel, l)
	}
	return []byte(l.String()), nil
}

// UnmarshalText parses the same strings as [ParseLevel].
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
