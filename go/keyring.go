package cortexkey

// The keys that verifiers know. A keyring never gives one back.

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Keyring is the keys that verifiers know, by id. It may change while others verify, and they see a
// change at once. Any number of goroutines may use it at once.
//
// It keeps a SHA-256 of a Standard key, from which a short key that a person made up can be guessed, and
// of an Advanced key what can sign.
type Keyring struct {
	mu      sync.RWMutex
	keyring func() backend.Keyring // nil once closed; a function, since fmt does not look into one
}

// NewKeyring returns a keyring without keys.
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

// KeyOption sets more of a key.
type KeyOption func(*backend.Key)

// ExpiresAt sets when a key expires. Without it the key lives until it is revoked.
func ExpiresAt(t time.Time) KeyOption {
	return func(k *backend.Key) { k.ExpiresMS = uint64(max(t.UnixMilli(), 0)) }
}

// CreatedAt sets when a key was created. A key created after the replay guard started need not wait
// until the guard has seen a whole window.
func CreatedAt(t time.Time) KeyOption {
	return func(k *backend.Key) { k.CreatedMS = uint64(max(t.UnixMilli(), 0)) }
}

// Revoked marks a key as revoked: its requests are refused with [VerdictKeyRevoked].
func Revoked() KeyOption { return func(k *backend.Key) { k.Revoked = true } }

// Put adds a key, in place of the one with its id where there is one.
func (k *Keyring) Put(keyID uint64, level Level, key string, opts ...KeyOption) error {
	bytes := []byte(key)
	defer clear(bytes)
	return k.PutBytes(keyID, level, bytes, opts...)
}

// PutBytes is Put for a caller that has the key as bytes, which it may wipe afterwards.
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

// Revoke revokes a key: it stays known, and its requests are refused with [VerdictKeyRevoked] until
// another key is put in its place.
func (k *Keyring) Revoke(keyID uint64) error {
	return k.open(func(ring backend.Keyring) error { return known(keyID, ring.Revoke(keyID)) })
}

// Remove removes and wipes a key; its requests are then refused with [VerdictUnknownKey].
func (k *Keyring) Remove(keyID uint64) error {
	return k.open(func(ring backend.Keyring) error { return known(keyID, ring.Remove(keyID)) })
}

// Close ends the keyring, which then takes no more changes. Verifiers that were made with it keep its
// keys; they are wiped when the last of them is closed. Closing again does nothing.
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
