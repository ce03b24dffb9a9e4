package cortexkey

// The signer: checks what it is given, takes the time, draws the nonce. The digest is the
// backend's. It refuses to guess a level, and to sign after Close.

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Signer signs requests with one key. Any number of goroutines may use it at once.
type Signer struct {
	keyID   uint64
	level   Level
	idText  string
	clock   func() time.Time
	random  io.Reader       // nil: the system's
	mu      sync.RWMutex    // Close waits for those who sign
	backend func() *backend // nil once closed; a function, since fmt does not look into one
}

// NewSigner returns a signer for the key with an id, from the column ID of the API Keys table,
// and a level, from its column Security Level. The length of a key does not tell its level.
//
// The key is not kept as it is; a caller who has it as []byte may wipe it at once.
func NewSigner[K ~string | ~[]byte](keyID uint64, level Level, key K, opts ...Option) (*Signer, error) {
	copied := append([]byte(nil), key...)
	defer clear(copied)
	return newSigner(keyID, level, copied, opts)
}

// Option changes how a signer works.
type Option func(*Signer) error

// WithClock takes the time from a function instead of [time.Now]. It is called by any goroutine
// that signs.
func WithClock(now func() time.Time) Option {
	return func(s *Signer) error {
		if now == nil {
			return fmt.Errorf("%w: WithClock(nil); give a function such as time.Now", ErrInvalidOption)
		}
		s.clock = now
		return nil
	}
}

// WithNonceSource draws nonces from a reader instead of the system's random source, for tests.
// Elsewhere the reader must be a cryptographic source. It is read by any goroutine that signs.
func WithNonceSource(random io.Reader) Option {
	return func(s *Signer) error {
		if random == nil {
			return fmt.Errorf("%w: WithNonceSource(nil); give a reader such as crypto/rand.Reader", ErrInvalidOption)
		}
		s.random = random
		return nil
	}
}

// KeyID returns the id of the key.
func (s *Signer) KeyID() uint64 { return s.keyID }

// Level returns the level of the key.
func (s *Signer) Level() Level { return s.level }

// Headers returns the headers of one attempt, with a fresh nonce and the time.
func (s *Signer) Headers() (Headers, error) {
	values, err := s.fresh()
	if err != nil {
		return Headers{}, err
	}
	return values.hidden(), nil
}

// HeadersAt returns the headers for a nonce (64 ASCII letters and digits) and a time (Unix time
// in milliseconds), for tests and repeatable answers. Never send two requests with one nonce. A
// Standard key uses neither, and neither is looked at.
func (s *Signer) HeadersAt(nonce string, timestampMS int64) (Headers, error) {
	var copied [nonceBytes]byte
	if s.level == Advanced {
		if err := checkNonce(nonce); err != nil {
			return Headers{}, err
		}
		if err := checkTimestamp(timestampMS); err != nil {
			return Headers{}, err
		}
		copy(copied[:], nonce)
	}
	values, err := s.sign(&copied, timestampMS)
	if err != nil {
		return Headers{}, err
	}
	return values.hidden(), nil
}

// SignRequest sets the authentication headers of a request, in place of any that it has. Sign
// each attempt anew.
func (s *Signer) SignRequest(req *http.Request) error {
	if req == nil {
		return fmt.Errorf("%w: SignRequest(nil)", ErrNilRequest)
	}
	values, err := s.fresh()
	if err != nil {
		return err
	}
	if req.Header == nil {
		req.Header = make(http.Header, len(values))
	}
	values.set(req.Header)
	return nil
}

// Close wipes what the signer keeps, after those who are signing are done. Signing then gives
// [ErrClosed]. Closing again does nothing.
func (s *Signer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.backend != nil {
		s.backend().close()
		s.backend = nil
	}
	return nil
}

// newSigner is NewSigner for bytes, which it neither changes nor keeps.
func newSigner(keyID uint64, level Level, key []byte, opts []Option) (*Signer, error) {
	if keyID == 0 {
		return nil, fmt.Errorf("%w: it is 0; take the number in the column ID of the API Keys table", ErrInvalidKeyID)
	}
	if level != Standard && level != Advanced {
		return nil, fmt.Errorf("%w: Level(%d); give cortexkey.Standard or cortexkey.Advanced, "+
			"as the column Security Level of the API Keys table says", ErrInvalidLevel, int(level))
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	s := &Signer{
		keyID: keyID, level: level, idText: strconv.FormatUint(keyID, 10),
		clock: time.Now,
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("%w: an option is nil", ErrInvalidOption)
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	b, err := newBackend(keyID, level, key)
	if err != nil {
		return nil, err
	}
	s.backend = func() *backend { return b }
	return s, nil
}

// fresh draws the nonce and takes the time; a Standard key needs neither.
func (s *Signer) fresh() (headerValues, error) {
	var nonce [nonceBytes]byte
	var ms int64
	if s.level == Advanced {
		if err := drawNonce(&nonce, s.random); err != nil {
			return headerValues{}, err
		}
		ms = s.clock().UnixMilli()
		if err := checkTimestamp(ms); err != nil {
			return headerValues{}, fmt.Errorf("the clock is wrong: %w", err)
		}
	}
	return s.sign(&nonce, ms)
}

// sign asks the backend for the headers of a nonce and a time that were checked.
func (s *Signer) sign(nonce *[nonceBytes]byte, ms int64) (headerValues, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.backend == nil {
		return headerValues{}, fmt.Errorf("%w: key id %d; make a new one", ErrClosed, s.keyID)
	}
	if s.level == Standard {
		key, err := s.backend().standard()
		return headerValues{keyIDAt: s.idText, authorizationAt: key}, err
	}
	return s.advanced(nonce, ms)
}

func (s *Signer) advanced(nonce *[nonceBytes]byte, ms int64) (headerValues, error) {
	const nonceEnd = digestBytes + nonceBytes
	// Digest, nonce and time share one string, which is all that is allocated.
	var text [nonceEnd + timestampBytes]byte
	copy(text[digestBytes:], nonce[:])
	strconv.AppendInt(text[:nonceEnd], ms, 10)
	if err := s.backend().advanced(nonce, ms, (*[digestBytes]byte)(text[:])); err != nil {
		return headerValues{}, err
	}
	all := string(text[:])
	return headerValues{s.idText, all[:digestBytes], all[digestBytes:nonceEnd], all[nonceEnd:]}, nil
}
