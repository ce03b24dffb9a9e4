//go:build cortexkey_cgo

package cortexkey

// The backend over the C library. It refuses a library with another binary interface than the
// header that it was built with.

import (
	"fmt"

	"github.com/cortexkey/cortexkey/go/internal/capi"
)

// Backend says what signs: this package itself, or the C library.
func Backend() string { return "C library " + capi.Version() }

// backend is a handle of the C library.
type backend struct {
	signer *capi.Signer
}

func newBackend(keyID uint64, level Level, key []byte) (*backend, error) {
	signer, status := capi.NewSigner(keyID, uint32(level), key)
	if status != capi.OK {
		return nil, libraryError(status)
	}
	return &backend{signer: signer}, nil
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

// advanced writes the digest of key, nonce and time in hexadecimal.
func (b *backend) advanced(nonce *[nonceBytes]byte, ms int64, digest *[digestBytes]byte) error {
	var headers capi.Headers
	if status := b.signer.HeadersAt(nonce[:], uint64(ms), &headers); status != capi.OK {
		return libraryError(status)
	}
	headers.CopyAuthorization(digest[:])
	return nil
}

func (b *backend) close() { b.signer.Free() }

// libraryError is for what the checks of this package do not find.
func libraryError(status capi.Status) error {
	return fmt.Errorf("%w: %s (%s, %d)", ErrLibrary, status.Message(), status.Name(), int32(status))
}
