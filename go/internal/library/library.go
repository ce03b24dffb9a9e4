//go:build cgo

// Package library implements the backends with the C library: it wraps handles of package capi, and turns statuses into
// errors.
package library

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/capi"
)

// Description names the library, its release and how it was linked.
func Description() string { return "C library " + capi.Version() + ", " + capi.Link }

// Signatures are passed to the library unchanged. This line does not compile if the two sizes differ.
var _ = [1]struct{}{}[unsafe.Sizeof(backend.Signature{})-capi.SignatureSize]

type signer struct {
	handle *capi.Signer
}

// NewSigner creates a signer.
func NewSigner(keyID uint64, advanced bool, key []byte) (backend.Signer, error) {
	handle, status := capi.NewSigner(keyID, level(advanced), key)
	if status != capi.OK {
		return nil, statusError(status)
	}
	return &signer{handle}, nil
}

func (s *signer) Standard() (string, error) {
	var headers capi.Headers
	defer headers.Wipe()
	if status := s.handle.HeadersAt(nil, 0, &headers); status != capi.OK {
		return "", statusError(status)
	}
	return headers.Authorization(), nil
}

func (s *signer) Sign(signatures []backend.Signature) error {
	if len(signatures) == 0 {
		return nil
	}
	status := s.handle.SignBatch(unsafe.Pointer(unsafe.SliceData(signatures)), len(signatures))
	if status != capi.OK {
		return statusError(status)
	}
	return nil
}

func (s *signer) SignAt(ms int64, signature *backend.Signature) error {
	var headers capi.Headers
	nonce := signature.Nonce[:backend.NonceBytes]
	if status := s.handle.HeadersAt(nonce, uint64(ms), &headers); status != capi.OK {
		return statusError(status)
	}
	headers.CopyAuthorization(signature.Authorization[:])
	headers.CopyTimestamp(signature.Timestamp[:])
	return nil
}

func (s *signer) Close() { s.handle.Free() }

type keyring struct {
	handle *capi.Keyring
	// The library does not return when a key was created, which a guard outside it needs.
	mu      sync.RWMutex
	created map[uint64]uint64
}

// NewKeyring creates a keyring.
func NewKeyring() (backend.Keyring, error) {
	handle, status := capi.NewKeyring()
	if status != capi.OK {
		return nil, statusError(status)
	}
	return &keyring{handle: handle, created: map[uint64]uint64{}}, nil
}

func (k *keyring) Put(key backend.Key, bytes []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	status := k.handle.Put(key.ID, level(key.Advanced), bytes, key.ExpiresMS, key.CreatedMS, key.Revoked)
	if status != capi.OK {
		return statusError(status)
	}
	delete(k.created, key.ID)
	if key.CreatedMS != 0 {
		k.created[key.ID] = key.CreatedMS
	}
	return nil
}

func (k *keyring) Revoke(id uint64) bool { return k.handle.Revoke(id) == capi.OK }

func (k *keyring) Remove(id uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.created, id)
	return k.handle.Remove(id) == capi.OK
}

func (k *keyring) Close() { k.handle.Free() }

func (k *keyring) createdMS(id uint64) uint64 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.created[id]
}

func (k *keyring) Verifier(guard backend.LibraryGuard, skewMS uint64, lenientNonces bool) (backend.Verifier, error) {
	if guard == nil {
		return k.verifier(nil, skewMS, lenientNonces)
	}
	var made backend.Verifier
	err := guard.InLibrary(func(handle any) (err error) {
		own, ok := handle.(*capi.ReplayGuard)
		if !ok {
			return fmt.Errorf("%w: %T", backend.ErrInvalidGuard, handle)
		}
		made, err = k.verifier(own, skewMS, lenientNonces)
		return err
	})
	return made, err
}

// verifier creates a verifier with a guard of the library, or with nil if package cortexkey calls the guard.
func (k *keyring) verifier(own *capi.ReplayGuard, skewMS uint64, lenientNonces bool) (backend.Verifier, error) {
	handle, status := capi.NewVerifier(k.handle, own, skewMS, lenientNonces)
	if status != capi.OK {
		return nil, statusError(status)
	}
	return &verifier{handle, k}, nil
}

type verifier struct {
	handle  *capi.Verifier
	keyring *keyring
}

func (v *verifier) Verify(r backend.Request, nowMS uint64) (backend.Principal, int32) {
	var p capi.Principal
	if status := v.handle.Verify(r.KeyID, r.Authorization, r.Nonce, r.Timestamp, nowMS, &p); status != capi.OK {
		return backend.Principal{}, int32(status)
	}
	return v.principal(&p), 0
}

// VerifyBatch verifies in the library, BatchMax requests per call.
func (v *verifier) VerifyBatch(requests []backend.Request, nowMS uint64, outcomes []backend.Outcome) {
	var batch capi.Batch
	for start := 0; start < len(requests); start += capi.BatchMax {
		end := min(start+capi.BatchMax, len(requests))
		batch.Reset()
		for _, r := range requests[start:end] {
			batch.Add(r.KeyID, r.Authorization, r.Nonce, r.Timestamp)
		}
		v.handle.VerifyBatch(&batch, nowMS)
		for i := range outcomes[start:end] {
			outcome := &outcomes[start+i]
			*outcome = backend.Outcome{Verdict: int32(batch.Status(i))}
			if outcome.Verdict == 0 {
				outcome.Principal = v.principal(batch.Principal(i))
			}
		}
	}
}

func (v *verifier) principal(p *capi.Principal) backend.Principal {
	principal := backend.Principal{
		KeyID: p.KeyID(), ExpiresMS: p.ExpiresMS(), SignedMS: p.SignedMS(), Advanced: p.Level() == level(true),
		RememberUntilMS: p.RememberUntilMS(),
	}
	p.CopyTag(&principal.Tag)
	if principal.RememberUntilMS != 0 {
		principal.CreatedMS = v.keyring.createdMS(principal.KeyID)
	}
	return principal
}

func (v *verifier) Close() { v.handle.Free() }

func level(advanced bool) uint32 {
	if advanced {
		return 2
	}
	return 1
}

// statusError returns an error for a status that the checks of package cortexkey do not prevent.
func statusError(status capi.Status) error {
	return fmt.Errorf("%w: %s (%s, %d)", backend.ErrLibrary, status.Message(), status.Name(), int32(status))
}
