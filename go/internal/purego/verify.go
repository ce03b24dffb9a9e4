package purego

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

// Never is the expiry of a key that has none.
const Never = math.MaxUint64

// storedKey is what a keyring keeps of a key: a SHA-256 of a Standard one, and of an Advanced one
// what can sign.
type storedKey struct {
	backend.Key
	digest   [sha256.Size]byte
	absorbed Absorbed
}

func store(key backend.Key, bytes []byte) (storedKey, error) {
	stored := storedKey{Key: key}
	if !key.Advanced {
		stored.digest = sha256.Sum256(bytes)
		return stored, nil
	}
	var err error
	stored.absorbed, err = Absorb(bytes)
	return stored, err
}

// Keyring is keys by id, which may change while verifiers use them. It is wiped when it and all its
// verifiers are closed.
type Keyring struct {
	mu    sync.RWMutex
	keys  map[uint64]storedKey
	users int // the keyring's owner, and verifiers
}

// NewKeyring returns an empty keyring.
func NewKeyring() *Keyring { return &Keyring{keys: map[uint64]storedKey{}, users: 1} }

// Put adds a key, in place of the one with its id. It neither changes nor keeps the bytes.
func (k *Keyring) Put(key backend.Key, bytes []byte) error {
	stored, err := store(key, bytes)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[key.ID].absorbed.Wipe()
	k.keys[key.ID] = stored
	return nil
}

// Revoke revokes a key until another is put in its place, and reports whether there was one.
func (k *Keyring) Revoke(id uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	stored, ok := k.keys[id]
	if ok {
		stored.Revoked = true
		k.keys[id] = stored
	}
	return ok
}

// Remove wipes a key, and reports whether there was one.
func (k *Keyring) Remove(id uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	stored, ok := k.keys[id]
	stored.absorbed.Wipe()
	delete(k.keys, id)
	return ok
}

// Verifier returns a verifier, which keeps the keys until it is closed.
func (k *Keyring) Verifier(guard backend.LibraryGuard, skewMS uint64, lenientNonces bool) (backend.Verifier, error) {
	if guard != nil {
		return nil, fmt.Errorf("%w: take a keyring from package lib, or cortexkey.NewMemoryGuard", backend.ErrInvalidGuard)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.users++
	return &verifier{k, skewMS, lenientNonces}, nil
}

// Close wipes the keys, unless a verifier still has them.
func (k *Keyring) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.users--
	if k.users > 0 {
		return
	}
	for _, stored := range k.keys {
		stored.absorbed.Wipe()
	}
	clear(k.keys)
}

type verifier struct {
	*Keyring
	skewMS        uint64
	lenientNonces bool
}

// Verify says whether a request is authentic, but for replay: verdict.Accept or why not.
func (v *verifier) Verify(r backend.Request, nowMS uint64) (backend.Principal, int32) {
	request, refused := parse(&r, v.lenientNonces)
	if refused != verdict.Accept {
		return backend.Principal{}, refused
	}
	// Held to the end: removing a key wipes it.
	v.mu.RLock()
	defer v.mu.RUnlock()
	stored, ok := v.keys[request.keyID]
	refused = verdict.WrongSignature
	switch {
	case !ok:
		stored, refused = standIn(request.advanced), verdict.UnknownKey
	case stored.Advanced != request.advanced:
		stored, refused = standIn(request.advanced), verdict.LevelMismatch
	}
	// Where the key is not there, or of the other level, the same work is done with another.
	same, err := stored.fits(&r, &request)
	if err != nil || !same || refused != verdict.WrongSignature {
		return backend.Principal{}, refused
	}
	switch {
	case stored.Revoked:
		return backend.Principal{}, verdict.KeyRevoked
	case nowMS >= stored.ExpiresMS && stored.ExpiresMS != Never:
		return backend.Principal{}, verdict.KeyExpired
	}
	principal := backend.Principal{
		KeyID: request.keyID, ExpiresMS: stored.ExpiresMS, CreatedMS: stored.CreatedMS, Advanced: stored.Advanced,
	}
	if !request.advanced {
		return principal, verdict.Accept
	}
	switch {
	case request.timestampMS+v.skewMS < nowMS:
		return backend.Principal{}, verdict.TimestampStale
	case request.timestampMS > nowMS+v.skewMS:
		return backend.Principal{}, verdict.TimestampFuture
	}
	principal.SignedMS = request.timestampMS
	principal.RememberUntilMS = request.timestampMS + v.skewMS
	principal.Tag = tag(&request)
	return principal, verdict.Accept
}

// VerifyBatch verifies one request after another.
func (v *verifier) VerifyBatch(requests []backend.Request, nowMS uint64, outcomes []backend.Outcome) {
	for i := range requests {
		outcomes[i].Principal, outcomes[i].Verdict = v.Verify(requests[i], nowMS)
	}
}

// tag names one use of one key, as every language and process does.
func tag(request *wellFormed) (tag [16]byte) {
	var tagged [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(tagged[:], request.keyID)
	copy(tagged[8:], request.digest[:])
	sum := sha256.Sum256(tagged[:])
	copy(tag[:], sum[:])
	return tag
}

// fits compares in constant time.
func (s *storedKey) fits(r *backend.Request, request *wellFormed) (bool, error) {
	if !request.advanced {
		presented := sha256.Sum256([]byte(*r.Authorization))
		return subtle.ConstantTimeCompare(presented[:], s.digest[:]) == 1, nil
	}
	w := workers.Get().(*worker)
	defer workers.Put(w)
	message := append(append(w.message[:0], *r.Nonce...), *r.Timestamp...)
	if err := w.digest(s.absorbed, message, &w.sum); err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(w.sum[:], request.digest[:]) == 1, nil
}

func standIn(advanced bool) storedKey {
	return storedKey{Key: backend.Key{Advanced: advanced}, absorbed: dummy}
}

// dummy stands in for an Advanced key of 128 bytes, for work that takes as long. It is never
// accepted: Verify looks at the verdict first.
var dummy = func() Absorbed {
	absorbed, err := Absorb(make([]byte, 128))
	if err != nil {
		return Absorbed{}
	}
	return absorbed
}()
