// Package purego signs and verifies in pure Go: the SHA-256 midstate of a key, nonces, and a
// keyring. It stores no Advanced key and reads no clock; tests compare its results with the C
// library's.
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

// Midstate is the state of SHA-256 after hashing a key. It can sign, so it is as secret as the key.
type Midstate struct {
	state []byte
}

// NewMidstate hashes a key. It neither changes nor stores the bytes.
func NewMidstate(key []byte) (Midstate, error) {
	h := sha256.New()
	h.Write(key)
	appender, ok := h.(encoding.BinaryAppender)
	if !ok {
		return Midstate{}, fmt.Errorf("%w: %T cannot be saved", errNoState, h)
	}
	// The capacity suffices: if the slice had to grow, a copy of the state would stay in the old
	// memory.
	state, err := appender.AppendBinary(make([]byte, 0, 256))
	if err != nil {
		return Midstate{}, fmt.Errorf("%w: %w", errNoState, err)
	}
	scrub(h)
	return Midstate{state}, nil
}

// Sign draws a nonce, and writes the nonce and the digest of key, nonce and time.
func (a Midstate) Sign(timestamp *[TimestampBytes]byte, nonce *[NonceBytes]byte, authorization *[DigestBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	if err := w.draw(nonce); err != nil {
		return err
	}
	return w.sign(a, timestamp, nonce, authorization)
}

// SignWith writes the digest of the key, the given nonce and the time.
func (a Midstate) SignWith(timestamp *[TimestampBytes]byte, nonce *[NonceBytes]byte, authorization *[DigestBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	return w.sign(a, timestamp, nonce, authorization)
}

func (w *worker) sign(a Midstate, timestamp *[TimestampBytes]byte, nonce *[NonceBytes]byte, authorization *[DigestBytes]byte) error {
	message := append(append(w.message[:0], nonce[:]...), timestamp[:]...)
	if err := w.digest(a, message, &w.sum); err != nil {
		return err
	}
	hex.Encode(authorization[:], w.sum[:])
	return nil
}

// Wipe overwrites the state with zeros.
func (a Midstate) Wipe() { clear(a.state) }

// Draw draws a nonce from the system's random source.
func Draw(nonce *[NonceBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	return w.draw(nonce)
}

// worker holds the memory for one signature, which is reused so that signing does not allocate. One
// goroutine uses it at a time.
type worker struct {
	hash    hash.Hash
	restore func(state []byte) error // of hash
	message [nonceBytesMax + TimestampBytes]byte
	sum     [sha256.Size]byte
	// Random bytes. Those before next have been used and overwritten with zeros.
	random [1024]byte // a multiple of eight
	next   int
	// The unused bits of the last eight bytes, and the number of groups of six bits in them.
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

func (w *worker) digest(a Midstate, message []byte, digest *[sha256.Size]byte) error {
	defer scrub(w.hash)
	if err := w.restore(a.state); err != nil {
		return fmt.Errorf("%w: %w", errNoState, err)
	}
	w.hash.Write(message)
	w.hash.Sum(digest[:0])
	return nil
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// draw makes a nonce from random bytes, which it overwrites. Eight bytes give ten groups of six
// bits, each a number below 64; 62 and 63 are drawn again, because a remainder (byte % 62) would
// favour some characters.
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

// characters is the alphabet, padded to 64 entries so that every six-bit number is an index.
var characters = func() (table [64]byte) {
	copy(table[:], alphabet)
	return table
}()

// isCharacter is 1 for each six-bit number that is a character, so that drawing needs no
// unpredictable branch.
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

// scrub overwrites the state of a hash and its buffered bytes of the key, which Reset leaves in
// memory.
func scrub(h hash.Hash) {
	if state, ok := h.(encoding.BinaryUnmarshaler); ok {
		_ = state.UnmarshalBinary(emptyState)
	}
}

// emptyState is the state of SHA-256 before the first byte.
var emptyState = func() []byte {
	if h, ok := sha256.New().(encoding.BinaryAppender); ok {
		if state, err := h.AppendBinary(nil); err == nil {
			return state
		}
	}
	return nil
}()
