//go:build !cortexkey_cgo

package cortexkey

// The backend in Go alone.

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/purego"
)

// Backend says what signs and verifies: this package itself, or the C library.
func Backend() string { return "pure Go" }

// backend is what a signer keeps of its key.
type backend struct {
	key      []byte // Standard
	absorbed purego.Absorbed
}

func newBackend(_ uint64, level Level, key []byte) (*backend, error) {
	if level == Standard {
		return &backend{key: append([]byte(nil), key...)}, nil
	}
	absorbed, err := purego.Absorb(key)
	return &backend{absorbed: absorbed}, err
}

// standard returns the key.
func (b *backend) standard() (string, error) { return string(b.key), nil }

// sign signs with the machine's time and the system's nonces.
func (b *backend) sign(signatures []Signature) error {
	ms := time.Now().UnixMilli()
	if err := checkTimestamp(ms); err != nil {
		return fmt.Errorf("the clock is wrong: %w", err)
	}
	var timestamp [timestampBytes]byte
	strconv.AppendInt(timestamp[:0], ms, 10)
	for i := range signatures {
		s := &signatures[i]
		*s = Signature{}
		copy(s.timestamp[:], timestamp[:])
		nonce, digest := (*[nonceBytes]byte)(s.nonce[:]), (*[digestBytes]byte)(s.authorization[:])
		if err := b.absorbed.Sign(&timestamp, nonce, digest); err != nil {
			return fmt.Errorf("%w: %w", ErrNonceSource, err)
		}
	}
	return nil
}

// signAt signs with a time, and the nonce that is in its place.
func (b *backend) signAt(ms int64, s *Signature) error {
	strconv.AppendInt(s.timestamp[:0], ms, 10)
	nonce, digest := (*[nonceBytes]byte)(s.nonce[:]), (*[digestBytes]byte)(s.authorization[:])
	return b.absorbed.SignWith((*[timestampBytes]byte)(s.timestamp[:]), nonce, digest)
}

func (b *backend) close() {
	clear(b.key)
	b.absorbed.Wipe()
}

// keyring is the keys behind a [Keyring].
type keyring struct {
	keys purego.Keyring
}

func newKeyring() (*keyring, error) { return &keyring{}, nil }

func (k *keyring) put(key *storedKey, bytes []byte) error {
	stored, err := purego.Store(bytes, key.level == Advanced, key.expiresMS, key.revoked)
	if err == nil {
		k.keys.Put(key.id, stored)
	}
	return err
}

func (k *keyring) revoke(id uint64) bool { return k.keys.Revoke(id) }
func (k *keyring) remove(id uint64) bool { return k.keys.Remove(id) }
func (k *keyring) close()                { k.keys.Clear() }

// verifier is what is behind a [Verifier].
type verifier struct {
	keyring *keyring
	skewMS  uint64
	lenient bool
}

func newVerifier(keyring *keyring, _ ReplayGuard, skewMS uint64, lenient bool) (*verifier, error) {
	return &verifier{keyring, skewMS, lenient}, nil
}

// verify looks at a request; where a tag comes with it, the guard is still to be asked.
func (v *verifier) verify(r *purego.Request, nowMS uint64) (purego.Principal, int32) {
	return v.keyring.keys.Verify(r, nowMS, v.skewMS, v.lenient)
}

func (v *verifier) close() {}
