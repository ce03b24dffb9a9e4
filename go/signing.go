package cortexkey

// The backend of a signer: this package's own Go, or a signer of the C library.

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/hook"
	"github.com/cortexkey/cortexkey/go/internal/purego"
)

// signing is what a signer keeps of its key. Pure Go is called directly and not through an interface,
// so that a caller's signatures can stay on the stack.
type signing struct {
	key      []byte // of a Standard key
	absorbed purego.Absorbed
	library  backend.Signer // nil: pure Go
}

func newSigning(keyID uint64, level Level, key []byte, over hook.NewSignerBackend) (*signing, error) {
	switch {
	case over != nil:
		library, err := over(keyID, level == Advanced, key)
		return &signing{library: library}, err
	case level == Standard:
		return &signing{key: append([]byte(nil), key...)}, nil
	}
	absorbed, err := purego.Absorb(key)
	return &signing{absorbed: absorbed}, err
}

// standard returns the key.
func (s *signing) standard() (string, error) {
	if s.library != nil {
		return s.library.Standard()
	}
	return string(s.key), nil
}

// sign signs each with the machine's time and a new nonce.
func (s *signing) sign(signatures []Signature) error {
	if s.library != nil {
		return s.signInLibrary(signatures)
	}
	ms := time.Now().UnixMilli()
	if err := checkTimestamp(ms); err != nil {
		return fmt.Errorf("the clock is wrong: %w", err)
	}
	var timestamp [timestampBytes]byte
	strconv.AppendInt(timestamp[:0], ms, 10)
	for i := range signatures {
		to := &signatures[i].values
		copy(to.Timestamp[:], timestamp[:])
		nonce, digest := (*[nonceBytes]byte)(to.Nonce[:]), (*[digestBytes]byte)(to.Authorization[:])
		if err := s.absorbed.Sign(&timestamp, nonce, digest); err != nil {
			return fmt.Errorf("%w: %w", ErrNonceSource, err)
		}
	}
	return nil
}

// signAt signs with a time, and with the nonce that is in its place.
func (s *signing) signAt(ms int64, signature *Signature) error {
	if s.library != nil {
		place := places.Get().(*[chunk]backend.Signature)
		defer places.Put(place)
		place[0] = signature.values
		err := s.library.SignAt(ms, &place[0])
		signature.values = place[0]
		place[0] = backend.Signature{}
		return err
	}
	to := &signature.values
	strconv.AppendInt(to.Timestamp[:0], ms, 10)
	nonce, digest := (*[nonceBytes]byte)(to.Nonce[:]), (*[digestBytes]byte)(to.Authorization[:])
	return s.absorbed.SignWith((*[timestampBytes]byte)(to.Timestamp[:]), nonce, digest)
}

// chunk is how many signatures go to the library at once.
const chunk = 64

// places are memory for the library: what is given to an interface would leave the caller's stack.
var places = sync.Pool{New: func() any { return new([chunk]backend.Signature) }}

func (s *signing) signInLibrary(signatures []Signature) error {
	place := places.Get().(*[chunk]backend.Signature)
	defer places.Put(place)
	for len(signatures) > 0 {
		count := min(len(signatures), chunk)
		if err := s.library.Sign(place[:count]); err != nil {
			return err
		}
		for i := range count {
			signatures[i].values = place[i]
		}
		clear(place[:count])
		signatures = signatures[count:]
	}
	return nil
}

func (s *signing) close() {
	if s.library != nil {
		s.library.Close()
		return
	}
	clear(s.key)
	s.absorbed.Wipe()
}
