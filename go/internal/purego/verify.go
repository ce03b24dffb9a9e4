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

// Never is the expiry of a key that never expires.
const Never = math.MaxUint64

// storedKey is what a keyring stores of a key: the SHA-256 of a Standard key, or the midstate of an
// Advanced key, which can sign.
type storedKey struct {
	backend.Key
	digest   [sha256.Size]byte
	midstate Midstate
}

func store(key backend.Key, bytes []byte) (storedKey, error) {
	stored := storedKey{Key: key}
	if !key.Advanced {
		stored.digest = sha256.Sum256(bytes)
		return stored, nil
	}
	var err error
	stored.midstate, err = NewMidstate(bytes)
	return stored, err
}

// Keyring holds keys by id. It may change while verifiers use it, and is wiped when it and all its
// verifiers are closed.
type Keyring struct {
	mu    sync.RWMutex
	keys  map[uint64]storedKey
	users int // open references: the keyring itself and its verifiers
}

// NewKeyring returns an empty keyring.
func NewKeyring() *Keyring { return &Keyring{keys: map[uint64]storedKey{}, users: 1} }

// Put adds a key, or replaces the key with the same id. It neither changes nor stores the bytes.
func (k *Keyring) Put(key backend.Key, bytes []byte) error {
	stored, err := store(key, bytes)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[key.ID].midstate.Wipe()
	k.keys[key.ID] = stored
	return nil
}

// Revoke revokes a key until it is replaced, and reports whether the keyring has it.
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

// Remove removes and wipes a key, and reports whether the keyring had it.
func (k *Keyring) Remove(id uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	stored, ok := k.keys[id]
	stored.midstate.Wipe()
	delete(k.keys, id)
	return ok
}

// Verifier returns a verifier, which keeps the keys in memory until it is closed.
func (k *Keyring) Verifier(guard backend.LibraryGuard, skewMS uint64, lenientNonces bool) (backend.Verifier, error) {
	if guard != nil {
		return nil, fmt.Errorf("%w: take a keyring from package lib, or cortexkey.NewMemoryGuard", backend.ErrInvalidGuard)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.users++
	return &verifier{k, skewMS, lenientNonces}, nil
}

// Close wipes the keys, unless a verifier still uses them.
func (k *Keyring) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.users--
	if k.users > 0 {
		return
	}
	for _, stored := range k.keys {
		stored.midstate.Wipe()
	}
	clear(k.keys)
}

type verifier struct {
	*Keyring
	skewMS        uint64
	lenientNonces bool
}

// Verify checks a request, except for replays: it returns verdict.Accept or the reason for a
// refusal.
func (v *verifier) Verify(r backend.Request, nowMS uint64) (backend.Principal, int32) {
	request, refused := parse(&r, v.lenientNonces)
	if refused != verdict.Accept {
		return backend.Principal{}, refused
	}
	// Locked until the end, because removing a key wipes it.
	v.mu.RLock()
	defer v.mu.RUnlock()
	stored, ok := v.keys[request.keyID]
	refused = verdict.WrongSignature
	switch {
	case !ok:
		stored, refused = dummyKey(request.advanced), verdict.UnknownKey
	case stored.Advanced != request.advanced:
		stored, refused = dummyKey(request.advanced), verdict.LevelMismatch
	}
	// If the key is unknown or of the other level, the same work is done with a dummyMidstate key, so that the
	// time does not reveal which.
	same, err := stored.matches(&r, &request)
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

// VerifyBatch verifies the requests one after another.
func (v *verifier) VerifyBatch(requests []backend.Request, nowMS uint64, outcomes []backend.Outcome) {
	for i := range requests {
		outcomes[i].Principal, outcomes[i].Verdict = v.Verify(requests[i], nowMS)
	}
}

// tag identifies one use of one key. It is the same in every language and process.
func tag(request *parsedRequest) (tag [16]byte) {
	var tagged [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(tagged[:], request.keyID)
	copy(tagged[8:], request.digest[:])
	sum := sha256.Sum256(tagged[:])
	copy(tag[:], sum[:])
	return tag
}

// matches reports whether the request presents this key or its digest. It compares in constant
// time.
func (s *storedKey) matches(r *backend.Request, request *parsedRequest) (bool, error) {
	if !request.advanced {
		presented := sha256.Sum256([]byte(*r.Authorization))
		return subtle.ConstantTimeCompare(presented[:], s.digest[:]) == 1, nil
	}
	w := workers.Get().(*worker)
	defer workers.Put(w)
	message := append(append(w.message[:0], *r.Nonce...), *r.Timestamp...)
	if err := w.digest(s.midstate, message, &w.sum); err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(w.sum[:], request.digest[:]) == 1, nil
}

func dummyKey(advanced bool) storedKey {
	return storedKey{Key: backend.Key{Advanced: advanced}, midstate: dummyMidstate}
}

// dummyMidstate is used in place of an Advanced key of 128 bytes, so that a check takes as long. It
// is never accepted: Verify checks the verdict first.
var dummyMidstate = func() Midstate {
	midstate, err := NewMidstate(make([]byte, 128))
	if err != nil {
		return Midstate{}
	}
	return midstate
}()
