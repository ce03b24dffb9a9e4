package cortexkey

// The keys that verifiers know. It refuses to give any of them back.

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// Keyring is the keys that verifiers know, by id. It may change while others verify, and they see a
// change at once.
//
// It keeps a SHA-256 of a Standard key, from which a short key that a person made up can be
// guessed, and of an Advanced key what can sign.
type Keyring struct {
	mu      sync.RWMutex
	keyring func() *keyring // nil once closed; a function, since fmt does not look into one
}

// NewKeyring returns a keyring without keys.
func NewKeyring() (*Keyring, error) {
	k, err := newKeyring()
	if err != nil {
		return nil, err
	}
	return &Keyring{keyring: func() *keyring { return k }}, nil
}

// KeyOption says more of a key.
type KeyOption func(*storedKey)

// ExpiresAt says when a key expires. Without it the key lives until it is revoked.
func ExpiresAt(t time.Time) KeyOption {
	return func(k *storedKey) { k.expiresMS = uint64(max(t.UnixMilli(), 0)) }
}

// CreatedAt says when a key was made, for keys that are made in the life of the replay guard, which
// need not wait for it to start.
func CreatedAt(t time.Time) KeyOption {
	return func(k *storedKey) { k.createdMS = uint64(max(t.UnixMilli(), 0)) }
}

// Revoked says that a key was revoked: its requests are refused as such.
func Revoked() KeyOption { return func(k *storedKey) { k.revoked = true } }

// storedKey is all of a key but its bytes.
type storedKey struct {
	id        uint64
	level     Level
	expiresMS uint64
	createdMS uint64
	revoked   bool
}

// Put adds a key, in place of the one with its id where there is one.
func (k *Keyring) Put(keyID uint64, level Level, key string, opts ...KeyOption) error {
	bytes := []byte(key)
	defer clear(bytes)
	if err := checkIdentity(keyID, level, bytes); err != nil {
		return err
	}
	stored := storedKey{id: keyID, level: level, expiresMS: math.MaxUint64}
	for _, opt := range opts {
		if opt == nil {
			return fmt.Errorf("%w: an option is nil", ErrInvalidOption)
		}
		opt(&stored)
	}
	return k.open(func(ring *keyring) error { return ring.put(&stored, bytes) })
}

// Revoke revokes a key for good: it stays known, and its requests are refused with
// [VerdictKeyRevoked].
func (k *Keyring) Revoke(keyID uint64) error {
	return k.open(func(ring *keyring) error { return known(keyID, ring.revoke(keyID)) })
}

// Remove removes and wipes a key; its requests are then refused with [VerdictUnknownKey].
func (k *Keyring) Remove(keyID uint64) error {
	return k.open(func(ring *keyring) error { return known(keyID, ring.remove(keyID)) })
}

// Close wipes the keys that no verifier of the C library still has. Closing again does nothing.
func (k *Keyring) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keyring != nil {
		k.keyring().close()
		k.keyring = nil
	}
	return nil
}

func (k *Keyring) open(ask func(*keyring) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.keyring == nil {
		return fmt.Errorf("%w: the keyring", ErrClosed)
	}
	return ask(k.keyring())
}

func known(keyID uint64, is bool) error {
	if is {
		return nil
	}
	return fmt.Errorf("%w: id %d", ErrUnknownKey, keyID)
}
