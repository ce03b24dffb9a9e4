package purego

import (
	"encoding/hex"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

// parsedRequest is a well-formed request.
type parsedRequest struct {
	keyID       uint64
	advanced    bool
	timestampMS uint64
	digest      [32]byte // of an Advanced request
}

// parse parses a request before anything is hashed. The checks are in the order of the verdicts.
func parse(r *backend.Request, lenientNonces bool) (parsedRequest, int32) {
	var parsed parsedRequest
	if r.KeyID == nil || r.Authorization == nil || (r.Nonce == nil) != (r.Timestamp == nil) {
		return parsed, verdict.MissingHeader
	}
	var ok bool
	if parsed.keyID, ok = keyID(*r.KeyID); !ok {
		return parsed, verdict.BadKeyID
	}
	if r.Nonce == nil {
		if !isKey(*r.Authorization) {
			return parsed, verdict.BadAuthorization
		}
		return parsed, verdict.Accept
	}
	parsed.advanced = true
	if !isNonce(*r.Nonce, lenientNonces) {
		return parsed, verdict.BadNonce
	}
	if parsed.timestampMS, ok = timestamp(*r.Timestamp); !ok {
		return parsed, verdict.BadTimestamp
	}
	if !digest(*r.Authorization, &parsed.digest) {
		return parsed, verdict.BadAuthorization
	}
	return parsed, verdict.Accept
}

// keyID parses decimal digits without a sign, leading zeros or white space.
func keyID(text string) (uint64, bool) {
	if text == "" || text[0] == '0' {
		return 0, false
	}
	id := uint64(0)
	for i := range len(text) {
		digit := uint64(text[i] - '0')
		if digit > 9 || id > (1<<64-1)/10 || id*10 > (1<<64-1)-digit {
			return 0, false
		}
		id = id*10 + digit
	}
	return id, true
}

// isKey reports whether text is 1 to 256 bytes of visible ASCII.
func isKey(text string) bool {
	if text == "" || len(text) > 256 {
		return false
	}
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return false
		}
	}
	return true
}

// isNonce reports whether text is 64 letters and digits, or 16 to 128 if lenient.
func isNonce(text string, lenient bool) bool {
	if len(text) != NonceBytes && !(lenient && 16 <= len(text) && len(text) <= nonceBytesMax) {
		return false
	}
	// Without a branch per character, because the branches could not be predicted.
	others := 0
	for i := range len(text) {
		others += int(notInNonce[text[i]])
	}
	return others == 0
}

// notInNonce is 1 for each byte that is not allowed in a nonce.
var notInNonce = func() (table [256]uint8) {
	for b := range table {
		table[b] = 1
	}
	for _, b := range []byte(alphabet) {
		table[b] = 0
	}
	return table
}()

// timestamp parses exactly 13 digits, of which the first is not 0.
func timestamp(text string) (uint64, bool) {
	if len(text) != TimestampBytes || text[0] == '0' {
		return 0, false
	}
	ms := uint64(0)
	for i := range len(text) {
		digit := uint64(text[i] - '0')
		if digit > 9 {
			return 0, false
		}
		ms = ms*10 + digit
	}
	return ms, true
}

// digest parses 64 lower-case hexadecimal digits.
func digest(text string, into *[32]byte) bool {
	if len(text) != DigestBytes {
		return false
	}
	var digits [DigestBytes]byte
	copy(digits[:], text)
	for _, b := range digits {
		if 'A' <= b && b <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(into[:], digits[:])
	return err == nil
}
