package cortexkey

// Compiled key definitions: what keys may do.

import (
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Definitions is a set of compiled key definitions. They never change, and any number of goroutines may use
// them at once.
type Definitions struct {
	mu          sync.RWMutex
	definitions backend.Definitions // nil once closed
}

// Definition is a key definition.
type Definition struct {
	// Tenant is the key's tenant; empty if the definition names none.
	Tenant string
	// Name is the definition's name.
	Name string
	// KeyID is the key's id in its tenant, from the lock file; 0 if it is not there.
	KeyID uint64
	// Level is the key's security level.
	Level Level
	// Expires is when the key expires; zero if it never expires, or if it has a lifetime instead.
	Expires time.Time
	// Lifetime is the key's lifetime, counted from when it is generated; 0 if it has none.
	Lifetime time.Duration
}

// LoadDefinitions loads the bytes of a file from `cortexkey compile`, of at most 64 MiB. It keeps a
// copy. Bytes that are damaged or of another format are [ErrInvalidDefinitions].
//
// The file is not signed: anyone who can change it can change what keys may do.
func LoadDefinitions(compiled []byte) (*Definitions, error) {
	made, err := loadDefinitions(compiled)
	if err != nil {
		return nil, err
	}
	return newDefinitions(made), nil
}

func newDefinitions(over backend.Definitions) *Definitions { return &Definitions{definitions: over} }

// All returns the definitions with their indices; none once closed.
func (d *Definitions) All() iter.Seq2[int, Definition] {
	return func(yield func(int, Definition) bool) {
		for at := 0; ; at++ {
			definition, err := d.At(at)
			if err != nil || !yield(at, definition) {
				return
			}
		}
	}
}

// At returns the definition at an index, counted from 0, or [ErrNotFound].
func (d *Definitions) At(at int) (Definition, error) {
	var definition Definition
	err := d.open(func(definitions backend.Definitions) error {
		if at < 0 {
			return fmt.Errorf("%w: index %d", ErrNotFound, at)
		}
		got, err := definitions.At(at)
		if err != nil {
			return err
		}
		definition = Definition{
			Tenant: got.Tenant, Name: got.Name, KeyID: got.KeyID, Level: Standard,
			Lifetime: time.Duration(min(got.LifetimeMS, lifetimeMSMax)) * time.Millisecond,
		}
		if got.Advanced {
			definition.Level = Advanced
		}
		if ms := int64(got.ExpiresMS); ms >= 0 {
			definition.Expires = time.UnixMilli(ms)
		}
		return nil
	})
	return definition, err
}

// lifetimeMSMax is the most milliseconds that a time.Duration holds: 292 years.
const lifetimeMSMax = (1<<63 - 1) / 1_000_000

// Find returns the index of the definition with the given name, which is name or tenant/name. If
// there is none, the error is [ErrNotFound]; if several tenants have the name, it is
// [ErrAmbiguousName].
func (d *Definitions) Find(name string) (int, error) {
	return d.place(func(definitions backend.Definitions) (int, error) {
		if name == "" || len(name) > backend.TextBytesMax || !utf8.ValidString(name) {
			return 0, fmt.Errorf("%w: %q", ErrNotFound, name[:min(len(name), 64)])
		}
		return definitions.Find(name)
	})
}

// FindID returns the index of the definition for a key id, such as a [Principal]'s. The ids come
// from the lock file at compile time and include rotated keys that are in their grace period. The
// errors are [ErrNotFound] and, if several tenants have a key with this id, [ErrAmbiguousName].
func (d *Definitions) FindID(keyID uint64) (int, error) {
	return d.place(func(definitions backend.Definitions) (int, error) { return definitions.FindID(keyID) })
}

// Decide answers a question about the key at an index. A refusal is an answer, not an error. The
// errors are [ErrNotFound] for an index, and [ErrInvalidQuestion] for a question that exceeds a
// limit: strings have at most 4,096 bytes of UTF-8, and lists at most 4,096 entries.
func (d *Definitions) Decide(at int, question Question) (Decision, error) {
	if isNil(question) {
		return Decision{}, fmt.Errorf("%w: Decide(…, nil); give a question such as ActionQuestion{…}", ErrNil)
	}
	asked := question.ask()
	if err := check(asked); err != nil {
		return Decision{}, err
	}
	decision := Decision{}
	err := d.open(func(definitions backend.Definitions) error {
		if at < 0 {
			return fmt.Errorf("%w: index %d", ErrNotFound, at)
		}
		got, err := definitions.Decide(at, asked)
		if err != nil {
			return err
		}
		decision = Decision{
			Answer: Answer(got.Answer), IfEnforced: Answer(got.IfEnforced), ScopesOff: got.ScopesOff, Why: got.Why,
		}
		return nil
	})
	return decision, err
}

// Close frees the definitions. Closing again does nothing.
func (d *Definitions) Close() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.definitions != nil {
		d.definitions.Close()
		d.definitions = nil
	}
	return nil
}

func (d *Definitions) open(ask func(backend.Definitions) error) error {
	if d == nil {
		return fmt.Errorf("%w: *Definitions; LoadDefinitions returns one", ErrNil)
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.definitions == nil {
		return fmt.Errorf("%w: the definitions", ErrClosed)
	}
	return ask(d.definitions)
}

func (d *Definitions) place(find func(backend.Definitions) (int, error)) (int, error) {
	at := 0
	err := d.open(func(definitions backend.Definitions) (err error) {
		at, err = find(definitions)
		return err
	})
	return at, err
}

// check checks a question against the limits that both backends have.
func check(q *backend.Question) error {
	if p := Permission(q.Permission); q.Kind == backend.Component && p != PermissionView && p != PermissionEdit {
		return fmt.Errorf("%w: Permission(%d); give PermissionView or PermissionEdit", ErrInvalidQuestion, q.Permission)
	}
	c := checker{}
	c.texts(q.Name)
	c.list(len(q.Groups), q.Groups)
	c.list(len(q.Tags), q.Tags)
	c.references(q.References)
	c.list(len(q.Issues), nil)
	for _, issue := range q.Issues {
		c.texts(issue.Domain)
		c.references(issue.References)
	}
	c.list(len(q.Fields), nil)
	for _, field := range q.Fields {
		c.texts(field[:]...)
	}
	return c.err
}

// checker keeps the first error.
type checker struct {
	err error
}

func (c *checker) texts(texts ...string) {
	for _, text := range texts {
		switch {
		case c.err != nil:
			return
		case len(text) > backend.TextBytesMax:
			c.err = fmt.Errorf("%w: a name of %d bytes; it has at most %d", ErrInvalidQuestion, len(text), backend.TextBytesMax)
		case !utf8.ValidString(text):
			c.err = fmt.Errorf("%w: %q is not UTF-8", ErrInvalidQuestion, text)
		case strings.Contains(text, "\x00"):
			c.err = fmt.Errorf("%w: %q contains NUL", ErrInvalidQuestion, text)
		}
	}
}

func (c *checker) list(count int, texts []string) {
	if c.err == nil && count > backend.ListMax {
		c.err = fmt.Errorf("%w: a list of %d entries; it has at most %d", ErrInvalidQuestion, count, backend.ListMax)
		return
	}
	c.texts(texts...)
}

func (c *checker) references(list []backend.Reference) {
	c.list(len(list), nil)
	for _, reference := range list {
		c.list(len(reference.Groups), reference.Groups)
		if endpoint := reference.Endpoint; endpoint != nil {
			c.list(len(endpoint.Groups), endpoint.Groups)
			c.list(len(endpoint.Tags), endpoint.Tags)
		}
	}
}
