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

// signing is what a signer stores of its key. Pure Go is called directly and not through an
// interface, so that a caller's signatures can stay on the stack.
type signing struct {
	key      []byte // of a Standard key
	midstate purego.Midstate
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
	midstate, err := purego.NewMidstate(key)
	return &signing{midstate: midstate}, err
}

// standard returns a Standard key.
func (s *signing) standard() (string, error) {
	if s.library != nil {
		return s.library.Standard()
	}
	return string(s.key), nil
}

// sign fills each signature with the current time and a new nonce.
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
		if err := s.midstate.Sign(&timestamp, nonce, digest); err != nil {
			return fmt.Errorf("%w: %w", ErrNonceSource, err)
		}
	}
	return nil
}

// signAt signs with the given time, and with the nonce that the signature already contains.
func (s *signing) signAt(ms int64, signature *Signature) error {
	if s.library != nil {
		buffer := buffers.Get().(*[chunk]backend.Signature)
		defer buffers.Put(buffer)
		buffer[0] = signature.values
		err := s.library.SignAt(ms, &buffer[0])
		signature.values = buffer[0]
		buffer[0] = backend.Signature{}
		return err
	}
	to := &signature.values
	strconv.AppendInt(to.Timestamp[:0], ms, 10)
	nonce, digest := (*[nonceBytes]byte)(to.Nonce[:]), (*[digestBytes]byte)(to.Authorization[:])
	return s.midstate.SignWith((*[timestampBytes]byte)(to.Timestamp[:]), nonce, digest)
}

// chunk is the number of signatures that one call of the library fills.
const chunk = 64

// buffers are memory for the library. A caller's signature that is passed to an interface would
// escape to the heap.
var buffers = sync.Pool{New: func() any { return new([chunk]backend.Signature) }}

func (s *signing) signInLibrary(signatures []Signature) error {
	buffer := buffers.Get().(*[chunk]backend.Signature)
	defer buffers.Put(buffer)
	for len(signatures) > 0 {
		count := min(len(signatures), chunk)
		if err := s.library.Sign(buffer[:count]); err != nil {
			return err
		}
		for i := range count {
			signatures[i].values = buffer[i]
		}
		clear(buffer[:count])
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
	s.midstate.Wipe()
}
