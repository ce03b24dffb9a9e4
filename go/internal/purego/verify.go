package purego

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math"
	"sync"

	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

// Never is the expiry of a key that has none.
const Never = math.MaxUint64

// StoredKey is what a keyring keeps of a key: a SHA-256 of a Standard one, and of an Advanced one
// what can sign.
type StoredKey struct {
	Advanced  bool
	ExpiresMS uint64
	Revoked   bool
	digest    [sha256.Size]byte
	absorbed  Absorbed
}

// Store makes what is kept of a key, which it neither changes nor keeps.
func Store(key []byte, advanced bool, expiresMS uint64, revoked bool) (StoredKey, error) {
	stored := StoredKey{Advanced: advanced, ExpiresMS: expiresMS, Revoked: revoked}
	if !advanced {
		stored.digest = sha256.Sum256(key)
		return stored, nil
	}
	var err error
	stored.absorbed, err = Absorb(key)
	return stored, err
}

// Keyring is keys by id, which may change while others verify.
type Keyring struct {
	mu   sync.RWMutex
	keys map[uint64]StoredKey
}

// Put adds a key, in place of the one with its id.
func (k *Keyring) Put(id uint64, stored StoredKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[uint64]StoredKey{}
	}
	k.keys[id].absorbed.Wipe()
	k.keys[id] = stored
}

// Revoke revokes a key for good, and says whether there was one.
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

// Remove wipes a key, and says whether there was one.
func (k *Keyring) Remove(id uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	stored, ok := k.keys[id]
	stored.absorbed.Wipe()
	delete(k.keys, id)
	return ok
}

// Clear wipes all keys.
func (k *Keyring) Clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, stored := range k.keys {
		stored.absorbed.Wipe()
	}
	clear(k.keys)
}

// Principal is who sent a request that is authentic but for replay.
type Principal struct {
	KeyID     uint64
	ExpiresMS uint64
	SignedMS  uint64 // 0 with a Standard key
	Advanced  bool
	// For a replay guard; zeros with a Standard key.
	Tag             [16]byte
	RememberUntilMS uint64
}

// Verify says whether a request is authentic, but for replay: verdict.Accept or why not.
func (k *Keyring) Verify(r *Request, nowMS, skewMS uint64, lenientNonces bool) (Principal, int32) {
	request, refused := r.parse(lenientNonces)
	if refused != verdict.Accept {
		return Principal{}, refused
	}
	// Held to the end: who removes a key wipes it.
	k.mu.RLock()
	defer k.mu.RUnlock()
	stored, ok := k.keys[request.keyID]
	refused = verdict.WrongSignature
	switch {
	case !ok:
		stored, refused = StoredKey{Advanced: request.advanced, absorbed: dummy}, verdict.UnknownKey
	case stored.Advanced != request.advanced:
		stored, refused = StoredKey{Advanced: request.advanced, absorbed: dummy}, verdict.LevelMismatch
	}
	// Where the key is not there, or of the other level, the same work is done with another.
	same, err := stored.fits(r, &request)
	if err != nil || !same || refused != verdict.WrongSignature {
		return Principal{}, refused
	}
	switch {
	case stored.Revoked:
		return Principal{}, verdict.KeyRevoked
	case nowMS >= stored.ExpiresMS && stored.ExpiresMS != Never:
		return Principal{}, verdict.KeyExpired
	}
	principal := Principal{KeyID: request.keyID, ExpiresMS: stored.ExpiresMS, Advanced: stored.Advanced}
	if !request.advanced {
		return principal, verdict.Accept
	}
	switch {
	case request.timestampMS+skewMS < nowMS:
		return Principal{}, verdict.TimestampStale
	case request.timestampMS > nowMS+skewMS:
		return Principal{}, verdict.TimestampFuture
	}
	principal.SignedMS = request.timestampMS
	principal.RememberUntilMS = request.timestampMS + skewMS
	var tagged [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(tagged[:], request.keyID)
	copy(tagged[8:], request.digest[:])
	sum := sha256.Sum256(tagged[:])
	copy(principal.Tag[:], sum[:])
	return principal, verdict.Accept
}

// fits compares in constant time.
func (s *StoredKey) fits(r *Request, request *wellFormed) (bool, error) {
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

// dummy stands in for an Advanced key of 128 bytes, for work that takes as long. It is never
// accepted: Verify looks at the verdict first.
var dummy = func() Absorbed {
	absorbed, err := Absorb(make([]byte, 128))
	if err != nil {
		return Absorbed{}
	}
	return absorbed
}()
