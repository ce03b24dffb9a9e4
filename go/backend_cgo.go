//go:build cortexkey_cgo

package cortexkey

// The backend over the C library. It refuses a library with another binary interface than the
// header that it was built with.

import (
	"fmt"
	"unsafe"

	"github.com/cortexkey/cortexkey/go/internal/capi"
	"github.com/cortexkey/cortexkey/go/internal/purego"
)

// Backend says what signs and verifies: this package itself, or the C library.
func Backend() string { return "C library " + capi.Version() + ", " + capi.Link }

// A signature goes to the library as it is; this does not compile where the two sizes differ.
var _ = [1]struct{}{}[unsafe.Sizeof(Signature{})-capi.SignatureSize]

// backend is a handle of the C library.
type backend struct {
	signer *capi.Signer
}

func newBackend(keyID uint64, level Level, key []byte) (*backend, error) {
	signer, status := capi.NewSigner(keyID, uint32(level), key)
	if status != capi.OK {
		return nil, libraryError(status)
	}
	return &backend{signer}, nil
}

// standard returns the key.
func (b *backend) standard() (string, error) {
	var headers capi.Headers
	defer headers.Wipe()
	if status := b.signer.HeadersAt(nil, 0, &headers); status != capi.OK {
		return "", libraryError(status)
	}
	return headers.Authorization(), nil
}

// sign signs with the machine's time and the library's nonces.
func (b *backend) sign(signatures []Signature) error {
	if len(signatures) == 0 {
		return nil
	}
	status := b.signer.SignBatch(unsafe.Pointer(unsafe.SliceData(signatures)), len(signatures))
	if status != capi.OK {
		return libraryError(status)
	}
	return nil
}

// signAt signs with a time, and the nonce that is in its place.
func (b *backend) signAt(ms int64, s *Signature) error {
	var headers capi.Headers
	if status := b.signer.HeadersAt(s.Nonce(), uint64(ms), &headers); status != capi.OK {
		return libraryError(status)
	}
	headers.CopyAuthorization(s.authorization[:])
	headers.CopyTimestamp(s.timestamp[:])
	return nil
}

func (b *backend) close() { b.signer.Free() }

// keyring is a handle of the C library.
type keyring struct {
	keys *capi.Keyring
}

func newKeyring() (*keyring, error) {
	keys, status := capi.NewKeyring()
	if status != capi.OK {
		return nil, libraryError(status)
	}
	return &keyring{keys}, nil
}

func (k *keyring) put(key *storedKey, bytes []byte) error {
	status := k.keys.Put(key.id, uint32(key.level), bytes, key.expiresMS, key.createdMS, key.revoked)
	if status != capi.OK {
		return libraryError(status)
	}
	return nil
}

func (k *keyring) revoke(id uint64) bool { return k.keys.Revoke(id) == capi.OK }
func (k *keyring) remove(id uint64) bool { return k.keys.Remove(id) == capi.OK }
func (k *keyring) close()                { k.keys.Free() }

// verifier is a handle of the C library.
type verifier struct {
	verifier *capi.Verifier
}

func newVerifier(keyring *keyring, guard ReplayGuard, skewMS uint64, lenient bool) (*verifier, error) {
	var handle *capi.ReplayGuard // nil: the caller has its own
	if ours, ok := guard.(*MemoryGuard); ok {
		handle = ours.guard
	}
	v, status := capi.NewVerifier(keyring.keys, handle, skewMS, lenient)
	if status != capi.OK {
		return nil, libraryError(status)
	}
	return &verifier{v}, nil
}

// verify looks at a request; where a tag comes with it, the guard is still to be asked.
func (v *verifier) verify(r *purego.Request, nowMS uint64) (purego.Principal, int32) {
	var p capi.Principal
	if status := v.verifier.Verify(r.KeyID, r.Authorization, r.Nonce, r.Timestamp, nowMS, &p); status != capi.OK {
		return purego.Principal{}, int32(status)
	}
	principal := purego.Principal{
		KeyID: p.KeyID(), ExpiresMS: p.ExpiresMS(), SignedMS: p.SignedMS(),
		Advanced: p.Level() == uint32(Advanced), RememberUntilMS: p.RememberUntilMS(),
	}
	p.CopyTag(&principal.Tag)
	return principal, 0
}

func (v *verifier) close() { v.verifier.Free() }

// libraryError is for what the checks of this package do not find.
func libraryError(status capi.Status) error {
	return fmt.Errorf("%w: %s (%s, %d)", ErrLibrary, status.Message(), status.Name(), int32(status))
}
