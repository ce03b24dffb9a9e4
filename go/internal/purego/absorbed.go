// Package purego signs and verifies in Go alone: SHA-256 that has taken in a key, nonces, and a keyring.
// It keeps no Advanced key and reads no clock; tests compare its answers with the C library's.
package purego

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// As in package backend.
const (
	NonceBytes     = backend.NonceBytes
	DigestBytes    = backend.DigestBytes
	TimestampBytes = backend.TimestampBytes
	nonceBytesMax  = 128
)

// Absorbed is SHA-256 that has taken in a key. It can sign, and is as secret as the key.
type Absorbed struct {
	state []byte
}

// Absorb takes in a key, which it neither changes nor keeps.
func Absorb(key []byte) (Absorbed, error) {
	h := sha256.New()
	h.Write(key)
	appender, ok := h.(encoding.BinaryAppender)
	if !ok {
		return Absorbed{}, fmt.Errorf("%w: %T cannot be saved", errNoState, h)
	}
	// Room for all of it, or a part of it would stay where it grew from.
	state, err := appender.AppendBinary(make([]byte, 0, 256))
	if err != nil {
		return Absorbed{}, fmt.Errorf("%w: %w", errNoState, err)
	}
	scrub(h)
	return Absorbed{state}, nil
}

// Sign draws a nonce into its place, and writes the digest of it and of the time.
func (a Absorbed) Sign(timestamp *[TimestampBytes]byte, nonce *[NonceBytes]byte, authorization *[DigestBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	if err := w.draw(nonce); err != nil {
		return err
	}
	return w.sign(a, timestamp, nonce, authorization)
}

// SignWith writes the digest of a nonce and a time.
func (a Absorbed) SignWith(timestamp *[TimestampBytes]byte, nonce *[NonceBytes]byte, authorization *[DigestBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	return w.sign(a, timestamp, nonce, authorization)
}

func (w *worker) sign(a Absorbed, timestamp *[TimestampBytes]byte, nonce *[NonceBytes]byte, authorization *[DigestBytes]byte) error {
	message := append(append(w.message[:0], nonce[:]...), timestamp[:]...)
	if err := w.digest(a, message, &w.sum); err != nil {
		return err
	}
	hex.Encode(authorization[:], w.sum[:])
	return nil
}

// Wipe overwrites it.
func (a Absorbed) Wipe() { clear(a.state) }

// Draw draws a nonce from the system.
func Draw(nonce *[NonceBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	return w.draw(nonce)
}

// worker is what one signature needs, kept from one to the next so that nothing is allocated. One
// goroutine has it at a time.
type worker struct {
	hash    hash.Hash
	restore func(state []byte) error // of hash
	message [nonceBytesMax + TimestampBytes]byte
	sum     [sha256.Size]byte
	// Random bytes, of which those before next were used and are zeros.
	random [1024]byte // a multiple of eight
	next   int
	// Bits of the last eight bytes, and how many groups of six are left in them.
	bits   uint64
	groups int
}

var workers = sync.Pool{New: func() any {
	h := sha256.New()
	w := &worker{hash: h, restore: func([]byte) error { return errNoState }}
	w.next = len(w.random)
	if state, ok := h.(encoding.BinaryUnmarshaler); ok {
		w.restore = state.UnmarshalBinary
	}
	return w
}}

func (w *worker) digest(a Absorbed, message []byte, digest *[sha256.Size]byte) error {
	defer scrub(w.hash)
	if err := w.restore(a.state); err != nil {
		return fmt.Errorf("%w: %w", errNoState, err)
	}
	w.hash.Write(message)
	w.hash.Sum(digest[:0])
	return nil
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// draw makes a nonce of random bytes, which it erases: ten characters of eight bytes, by six bits each. A
// remainder (byte % 62) would favour eight of the characters; six bits are a number below 64, and two in
// 64 are drawn again.
func (w *worker) draw(nonce *[NonceBytes]byte) error {
	bits, groups := w.bits, w.groups
	for drawn := uint(0); ; {
		for ; groups > 0 && drawn < NonceBytes; groups-- {
			six := bits % 64
			bits /= 64
			nonce[drawn%NonceBytes] = characters[six]
			drawn += uint(isCharacter[six])
		}
		if drawn == NonceBytes {
			w.bits, w.groups = bits, groups
			return nil
		}
		if w.next == len(w.random) {
			if _, err := rand.Read(w.random[:]); err != nil {
				return err
			}
			w.next = 0
		}
		word := w.random[w.next : w.next+8]
		bits, groups = binary.LittleEndian.Uint64(word), 10
		binary.LittleEndian.PutUint64(word, 0)
		w.next += 8
	}
}

// characters is the alphabet with room for every six bits.
var characters = func() (table [64]byte) {
	copy(table[:], alphabet)
	return table
}()

// isCharacter is 1 for six bits that name a character, so that drawing needs no branch that nobody can
// predict.
var isCharacter = func() (table [64]uint8) {
	for i := range alphabet {
		table[i] = 1
	}
	return table
}()

// DrawFrom draws a nonce from a reader.
func DrawFrom(random io.Reader, nonce *[NonceBytes]byte) error {
	for drawn := 0; drawn < NonceBytes; {
		// 72 bytes are enough in most cases.
		bytes := make([]byte, 72)
		if _, err := io.ReadFull(random, bytes); err != nil {
			return err
		}
		for _, b := range bytes {
			if six := int(b & 63); six < len(alphabet) && drawn < NonceBytes {
				nonce[drawn] = alphabet[six]
				drawn++
			}
		}
	}
	return nil
}

var errNoState = errors.New("cortexkey: this Go runtime cannot continue a SHA-256 from its state")

// scrub overwrites the state of a hash and the bytes of the key in it, which Reset leaves.
func scrub(h hash.Hash) {
	if state, ok := h.(encoding.BinaryUnmarshaler); ok {
		_ = state.UnmarshalBinary(emptyState)
	}
}

// emptyState is SHA-256 that has seen nothing.
var emptyState = func() []byte {
	if h, ok := sha256.New().(encoding.BinaryAppender); ok {
		if state, err := h.AppendBinary(nil); err == nil {
			return state
		}
	}
	return nil
}()
