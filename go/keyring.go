package cortexkey

// The keys that verifiers know. A key cannot be read back from a keyring.

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Keyring holds the keys that verifiers know, by id. It may change while others verify; a change takes effect
// immediately. Any number of goroutines may use it at once.
//
// For a Standard key, it stores the SHA-256, from which a short, human-chosen key could be guessed. For an
// Advanced key, it stores a SHA-256 midstate, which can sign.
type Keyring struct {
	mu      sync.RWMutex
	keyring func() backend.Keyring // nil once closed; a function, since fmt does not look into one
}

// NewKeyring returns an empty keyring.
func NewKeyring() (*Keyring, error) {
	made, err := newKeyringBackend()
	if err != nil {
		return nil, err
	}
	return newKeyring(made), nil
}

func newKeyring(over backend.Keyring) *Keyring {
	return &Keyring{keyring: func() backend.Keyring { return over }}
}

// KeyOption sets an optional property of a key.
type KeyOption func(*backend.Key)

// ExpiresAt sets when a key expires. Without it the key never expires.
func ExpiresAt(t time.Time) KeyOption {
	return func(k *backend.Key) { k.ExpiresMS = uint64(max(t.UnixMilli(), 0)) }
}

// CreatedAt sets when a key was created. A replay guard that is older than the key accepts the key's requests
// even while it is starting.
func CreatedAt(t time.Time) KeyOption {
	return func(k *backend.Key) { k.CreatedMS = uint64(max(t.UnixMilli(), 0)) }
}

// Revoked marks a key as revoked: its requests are refused with [VerdictKeyRevoked].
func Revoked() KeyOption { return func(k *backend.Key) { k.Revoked = true } }

// Put adds a key, or replaces the key with the same id. Errors are [ErrInvalidKey],
// [ErrInvalidKeyID], [ErrInvalidLevel] and [ErrInvalidOption]; the keyring is unchanged then.
func (k *Keyring) Put(keyID uint64, level Level, key string, opts ...KeyOption) error {
	bytes := []byte(key)
	defer clear(bytes)
	return k.PutBytes(keyID, level, bytes, opts...)
}

// PutBytes is like Put, for a key as bytes, which the caller may wipe afterwards.
func (k *Keyring) PutBytes(keyID uint64, level Level, key []byte, opts ...KeyOption) error {
	if err := checkIdentity(keyID, level, key); err != nil {
		return err
	}
	stored := backend.Key{ID: keyID, Advanced: level == Advanced, ExpiresMS: math.MaxUint64}
	for _, opt := range opts {
		if opt == nil {
			return fmt.Errorf("%w: an option is nil", ErrInvalidOption)
		}
		opt(&stored)
	}
	return k.open(func(ring backend.Keyring) error { return ring.Put(stored, key) })
}

// Revoke revokes a key. Its requests are refused with [VerdictKeyRevoked] until it is removed or
// put again. A key that the keyring does not have is [ErrUnknownKey].
func (k *Keyring) Revoke(keyID uint64) error {
	return k.open(func(ring backend.Keyring) error { return known(keyID, ring.Revoke(keyID)) })
}

// Remove removes and wipes a key; its requests are then refused with [VerdictUnknownKey]. A key
// that the keyring does not have is [ErrUnknownKey].
func (k *Keyring) Remove(keyID uint64) error {
	return k.open(func(ring backend.Keyring) error { return known(keyID, ring.Remove(keyID)) })
}

// Close closes the keyring for changes. Verifiers that use it keep its keys, which are wiped when the last
// verifier is closed. Closing again does nothing.
func (k *Keyring) Close() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keyring != nil {
		k.keyring().Close()
		k.keyring = nil
	}
	return nil
}

// Format writes the type alone, whatever the verb.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedKeyring) }

// LogValue returns the type alone.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(redactedKeyring) }

const redactedKeyring = "cortexkey.Keyring{REDACTED}"

func (k *Keyring) open(ask func(backend.Keyring) error) error {
	if k == nil {
		return fmt.Errorf("%w: *Keyring; NewKeyring returns one", ErrNil)
	}
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
