package cortexkey

// The signer: it checks its arguments, reads the clock and draws the nonce. Its backend computes the digest.

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"github.com/cortexkey/cortexkey/go/internal/hook"
	"github.com/cortexkey/cortexkey/go/internal/purego"
)

// Signer signs requests with one key. Any number of goroutines may use it at once.
type Signer struct {
	keyID       uint64
	level       Level
	idText      string
	childTenant string
	clock       func() time.Time // nil: time.Now
	random      io.Reader        // nil: the system's random source
	over        hook.NewSignerBackend
	mu          sync.RWMutex    // Close waits for running calls
	signing     func() *signing // nil once closed; a function, since fmt does not look into one
}

// NewSigner returns a signer for a key of 1 to 256 bytes. The API Keys table shows the key's id and
// level, in the columns ID and Security Level. The signer does not store an Advanced key itself.
// The caller may wipe a []byte key immediately. Errors are [ErrInvalidKey], [ErrInvalidKeyID],
// [ErrInvalidLevel] and [ErrInvalidOption].
func NewSigner[K ~string | ~[]byte](keyID uint64, level Level, key K, opts ...Option) (*Signer, error) {
	copied := append([]byte(nil), key...)
	defer clear(copied)
	return newSigner(keyID, level, copied, opts)
}

// Option configures a signer.
type Option func(*Signer) error

// WithClock uses a function instead of [time.Now]. Any goroutine that signs calls it.
func WithClock(now func() time.Time) Option {
	return func(s *Signer) error {
		if now == nil {
			return fmt.Errorf("%w: WithClock(nil); give a function such as time.Now", ErrInvalidOption)
		}
		s.clock = now
		return nil
	}
}

// WithNonceSource draws nonces from a reader instead of the system's random source, for tests. In production
// the reader must be a cryptographic source. Any goroutine that signs reads it.
func WithNonceSource(random io.Reader) Option {
	return func(s *Signer) error {
		if random == nil {
			return fmt.Errorf("%w: WithNonceSource(nil); give a reader such as crypto/rand.Reader", ErrInvalidOption)
		}
		s.random = random
		return nil
	}
}

// WithChildTenant adds the header [HeaderChildTenant] to every signed request: the id of the child tenant that
// a parent's key acts on (MSSP). The signature does not cover it.
func WithChildTenant(id string) Option {
	return func(s *Signer) error {
		if !isVisible(id) {
			return fmt.Errorf("%w: WithChildTenant: an id is 1 to 256 characters of visible ASCII", ErrInvalidOption)
		}
		s.childTenant = id
		return nil
	}
}

// KeyID returns the id of the key; 0 for a nil signer.
func (s *Signer) KeyID() uint64 {
	if s == nil {
		return 0
	}
	return s.keyID
}

// Level returns the level of the key; 0 for a nil signer.
func (s *Signer) Level() Level {
	if s == nil {
		return 0
	}
	return s.level
}

// Headers signs one attempt with a new nonce and the current time.
func (s *Signer) Headers() (Headers, error) {
	values, err := s.sign()
	if err != nil {
		return Headers{}, err
	}
	return values.hidden(), nil
}

// HeadersAt signs with a given nonce (64 ASCII letters and digits) and time (Unix time in
// milliseconds), for tests and reproducible output. Never send two requests with the same nonce.
// With a Standard key, both are ignored.
func (s *Signer) HeadersAt(nonce string, timestampMS int64) (Headers, error) {
	if s.Level() != Advanced {
		return s.Headers()
	}
	if err := checkNonce(nonce); err != nil {
		return Headers{}, err
	}
	if err := checkTimestamp(timestampMS); err != nil {
		return Headers{}, err
	}
	var signature Signature
	copy(signature.values.Nonce[:], nonce)
	err := s.signAt(timestampMS, &signature)
	if err != nil {
		return Headers{}, err
	}
	return s.values(&signature).hidden(), nil
}

// SignRequest sets the authentication headers of a request and replaces existing ones. Call it for
// every attempt. It allocates twice, for net/http's strings and slices; [Signer.Sign] does not
// allocate.
func (s *Signer) SignRequest(req *http.Request) error {
	if req == nil {
		return fmt.Errorf("%w: SignRequest(nil)", ErrNilRequest)
	}
	values, err := s.sign()
	if err != nil {
		return err
	}
	if req.Header == nil {
		req.Header = make(http.Header, len(values))
	}
	values.set(req.Header)
	return nil
}

// Sign signs one request with an Advanced key into the caller's memory, without allocating. With a
// Standard key it returns [ErrNotAdvanced].
func (s *Signer) Sign(signature *Signature) error {
	if signature == nil {
		return fmt.Errorf("%w: Sign(nil); give the address of a Signature", ErrNil)
	}
	return s.SignBatch(unsafe.Slice(signature, 1))
}

// SignBatch signs one request per signature with an Advanced key, each with its own nonce, all with the same
// time, without allocating. Send them within a minute; the product does not document its limit.
func (s *Signer) SignBatch(signatures []Signature) error {
	if s == nil {
		return s.closed()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.signing == nil:
		return s.closed()
	case s.level != Advanced:
		return fmt.Errorf("%w: key id %d; use SignRequest or Headers", ErrNotAdvanced, s.keyID)
	case s.clock == nil && s.random == nil:
		return s.signing().sign(signatures)
	}
	ms, err := s.now()
	if err != nil {
		return err
	}
	for i := range signatures {
		if err := s.drawNonce(&signatures[i]); err != nil {
			return err
		}
		if err := s.signing().signAt(ms, &signatures[i]); err != nil {
			return err
		}
	}
	return nil
}

// Close waits for running calls and wipes what the signer stores. Signing then returns [ErrClosed]. Closing
// again does nothing.
func (s *Signer) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signing != nil {
		s.signing().close()
		s.signing = nil
	}
	return nil
}

// newSigner is NewSigner for bytes, which it neither changes nor keeps.
func newSigner(keyID uint64, level Level, key []byte, opts []Option) (*Signer, error) {
	if err := checkIdentity(keyID, level, key); err != nil {
		return nil, err
	}
	s := &Signer{
		keyID: keyID, level: level, idText: strconv.FormatUint(keyID, 10), over: newSignerBackend,
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("%w: an option is nil", ErrInvalidOption)
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	made, err := newSigning(keyID, level, key, s.over)
	if err != nil {
		return nil, err
	}
	s.signing = func() *signing { return made }
	return s, nil
}

// sign returns the header values of a new signature.
func (s *Signer) sign() (headerValues, error) {
	if s.Level() == Advanced {
		var signature Signature
		if err := s.Sign(&signature); err != nil {
			return headerValues{}, err
		}
		return s.values(&signature), nil
	}
	if s == nil {
		return headerValues{}, s.closed()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.signing == nil {
		return headerValues{}, s.closed()
	}
	key, err := s.signing().standard()
	return headerValues{keyIDAt: s.idText, authorizationAt: key, childTenantAt: s.childTenant}, err
}

// values turns a signature into header values. Digest, nonce and time are parts of one string, so
// that there is one allocation.
func (s *Signer) values(signature *Signature) headerValues {
	const nonceEnd = digestBytes + nonceBytes
	var text [nonceEnd + timestampBytes]byte
	copy(text[:], signature.Authorization())
	copy(text[digestBytes:], signature.Nonce())
	copy(text[nonceEnd:], signature.Timestamp())
	all := string(text[:])
	return headerValues{s.idText, all[:digestBytes], all[digestBytes:nonceEnd], all[nonceEnd:], s.childTenant}
}

func (s *Signer) signAt(ms int64, signature *Signature) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.signing == nil {
		return s.closed()
	}
	return s.signing().signAt(ms, signature)
}

func (s *Signer) closed() error {
	if s == nil {
		return fmt.Errorf("%w: *Signer; NewSigner returns one", ErrNil)
	}
	return fmt.Errorf("%w: the signer of key id %d; create a new one", ErrClosed, s.keyID)
}

func (s *Signer) now() (int64, error) {
	now := time.Now
	if s.clock != nil {
		now = s.clock
	}
	ms := now().UnixMilli()
	if err := checkTimestamp(ms); err != nil {
		return 0, fmt.Errorf("the clock is wrong: %w", err)
	}
	return ms, nil
}

func (s *Signer) drawNonce(signature *Signature) error {
	nonce := (*[nonceBytes]byte)(signature.values.Nonce[:])
	var err error
	if s.random != nil {
		err = purego.DrawFrom(s.random, nonce)
	} else {
		err = purego.Draw(nonce)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNonceSource, err)
	}
	return nil
}
