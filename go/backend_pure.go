//go:build !cortexkey_cgo

package cortexkey

// The backend in Go: SHA-256 with the key already in it. It refuses to keep an Advanced key
// itself; what it keeps can sign nevertheless, and is wiped.

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"sync"
)

// Backend says what signs: this package itself, or the C library.
func Backend() string { return "pure Go" }

// backend is what a signer keeps of its key.
type backend struct {
	// The key (Standard), or the state of SHA-256 that has absorbed it (Advanced).
	secret []byte
}

func newBackend(_ uint64, level Level, key []byte) (*backend, error) {
	if level == Standard {
		return &backend{secret: append([]byte(nil), key...)}, nil
	}
	h := sha256.New()
	h.Write(key)
	marshaler, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("%w: its SHA-256 cannot be saved (%T)", errNoState, h)
	}
	state, err := marshaler.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoState, err)
	}
	scrub(h)
	return &backend{secret: state}, nil
}

// standard returns the key.
func (b *backend) standard() (string, error) { return string(b.secret), nil }

// advanced writes the digest of key, nonce and time in hexadecimal.
func (b *backend) advanced(nonce *[nonceBytes]byte, ms int64, digest *[digestBytes]byte) error {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	defer scrub(w.hash)
	if err := w.restore(b.secret); err != nil {
		return fmt.Errorf("%w: %w", errNoState, err)
	}
	message := append(w.message[:0], nonce[:]...)
	message = strconv.AppendInt(message, ms, 10)
	w.hash.Write(message)
	hex.Encode(digest[:], w.hash.Sum(w.sum[:0]))
	return nil
}

func (b *backend) close() { clear(b.secret) }

// worker is what one digest needs, kept from one to the next so that nothing is allocated.
type worker struct {
	hash    hash.Hash
	restore func(state []byte) error // of hash
	message [nonceBytes + timestampBytes]byte
	sum     [sha256.Size]byte
}

var workers = sync.Pool{New: func() any {
	h := sha256.New()
	w := &worker{hash: h, restore: func([]byte) error { return errNoState }}
	if state, ok := h.(encoding.BinaryUnmarshaler); ok {
		w.restore = state.UnmarshalBinary
	}
	return w
}}

var errNoState = errors.New("cortexkey: this Go runtime cannot continue a SHA-256 from its state")

// scrub overwrites the state of a hash and the bytes of the key in it, which Reset leaves.
func scrub(h hash.Hash) {
	if state, ok := h.(encoding.BinaryUnmarshaler); ok {
		_ = state.UnmarshalBinary(emptyState)
	}
}

// emptyState is SHA-256 that has seen nothing.
var emptyState = func() []byte {
	if h, ok := sha256.New().(encoding.BinaryMarshaler); ok {
		if state, err := h.MarshalBinary(); err == nil {
			return state
		}
	}
	return nil
}()
