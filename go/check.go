package cortexkey

// Checks the form of keys, nonces and times, as a verifier does. Errors name the position of an invalid byte
// in a key, but never the byte.

import "fmt"

const (
	keyBytesMax    = 256
	nonceBytes     = 64
	digestBytes    = 64
	timestampBytes = 13

	timestampMin = 1_000_000_000_000 // 2001-09-09
	timestampMax = 9_999_999_999_999 // 2286-11-20
)

// checkIdentity validates a key's id, level and bytes.
func checkIdentity(keyID uint64, level Level, key []byte) error {
	if keyID == 0 {
		return fmt.Errorf("%w: it is 0; take the number in the ID column of the API Keys table", ErrInvalidKeyID)
	}
	if level != Standard && level != Advanced {
		return fmt.Errorf("%w: Level(%d); give cortexkey.Standard or cortexkey.Advanced, "+
			"as the Security Level column of the API Keys table shows", ErrInvalidLevel, int(level))
	}
	return checkKey(key)
}

func checkKey(key []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("%w: it is empty; expected 1 to %d characters", ErrInvalidKey, keyBytesMax)
	}
	if len(key) > keyBytesMax {
		return fmt.Errorf("%w: it has %d bytes; expected at most %d", ErrInvalidKey, len(key), keyBytesMax)
	}
	for i, b := range key {
		if b < '!' || b > '~' {
			return fmt.Errorf("%w: byte %d is %s; expected visible ASCII only", ErrInvalidKey, i+1, kindOf(b))
		}
	}
	return nil
}

// isVisible reports whether text is 1 to 256 bytes of visible ASCII.
func isVisible(text string) bool { return checkKey([]byte(text)) == nil }

// kindOf describes an invalid byte of a key without revealing it.
func kindOf(b byte) string {
	switch {
	case b == ' ' || b == '\t':
		return "a space"
	case b == '\r' || b == '\n':
		return "a line ending"
	case b > '~':
		return "not ASCII"
	}
	return "a control character"
}

func checkNonce(nonce string) error {
	if len(nonce) != nonceBytes {
		return fmt.Errorf("%w: it has %d bytes; a nonce is 64 characters of A-Z, a-z and 0-9", ErrInvalidNonce, len(nonce))
	}
	for i := range len(nonce) {
		if !isAlphanumeric(nonce[i]) {
			return fmt.Errorf("%w: character %d is not an ASCII letter or digit", ErrInvalidNonce, i+1)
		}
	}
	return nil
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

func checkTimestamp(ms int64) error {
	if ms < timestampMin || ms > timestampMax {
		return fmt.Errorf("%w: %d is not 13 digits; give Unix time in milliseconds (not seconds), such as 1790611727783",
			ErrInvalidTimestamp, ms)
	}
	return nil
}
