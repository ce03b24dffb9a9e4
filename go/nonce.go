package cortexkey

// Nonces: 64 characters, each of the 62 letters and digits as likely as the other. A remainder
// (byte % 62) is refused, since it favours eight of them.

import (
	"crypto/rand"
	"fmt"
	"io"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// drawNonce fills a nonce from a reader, or from the system where there is none.
func drawNonce(nonce *[nonceBytes]byte, random io.Reader) error {
	for drawn := 0; drawn < nonceBytes; {
		// Six bits are a number below 64, and two in 64 are drawn again, so 72 bytes are enough
		// for a nonce in most cases.
		var bytes [72]byte
		if err := readRandom(random, &bytes); err != nil {
			return fmt.Errorf("%w: %w", ErrNonceSource, err)
		}
		for _, b := range bytes {
			if six := int(b & 63); six < len(alphabet) && drawn < nonceBytes {
				nonce[drawn] = alphabet[six]
				drawn++
			}
		}
	}
	return nil
}

// readRandom reads from the system without an allocation, and from a caller's reader with one.
func readRandom(random io.Reader, bytes *[72]byte) error {
	if random == nil {
		_, err := rand.Read(bytes[:])
		return err
	}
	var drawn [72]byte // what goes to an unknown reader moves to the heap
	_, err := io.ReadFull(random, drawn[:])
	*bytes = drawn
	return err
}
