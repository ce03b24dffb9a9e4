//go:build cortexkey_cgo

package cortexkey

// What keys may do, by definitions that `cortexkey compile` wrote.

import (
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/cortexkey/cortexkey/go/internal/capi"
)

// Definitions is compiled key definitions. Any number of goroutines may ask them at once.
type Definitions struct {
	mu          sync.RWMutex
	definitions *capi.Definitions // nil once closed
}

// Definition is a key, as it is defined.
type Definition struct {
	// Tenant is the tenant that it is of; empty where none is said.
	Tenant string
	// Name is its name.
	Name string
	// KeyID is its id in its tenant, by the lock file; 0 where that does not know it.
	KeyID uint64
	// Level is its security level.
	Level Level
	// Expires is when it expires; zero where it does not, or where it has a lifetime.
	Expires time.Time
	// Lifetime is how long it lives from when it is generated; 0 where it has none.
	Lifetime time.Duration
}

// LoadDefinitions reads what `cortexkey compile` wrote.
func LoadDefinitions(compiled []byte) (*Definitions, error) {
	definitions, status := capi.LoadDefinitions(compiled)
	if status != capi.OK {
		return nil, definitionsError(status, "")
	}
	return &Definitions{definitions: definitions}, nil
}

// All returns the definitions with their places.
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

// At returns the definition at a place.
func (d *Definitions) At(at int) (Definition, error) {
	var definition Definition
	err := d.open(func(definitions *capi.Definitions) error {
		got, status := definitions.Get(at)
		if status != capi.OK {
			return definitionsError(status, fmt.Sprintf("place %d", at))
		}
		definition = Definition{
			Tenant: got.Tenant, Name: got.Name, KeyID: got.KeyID, Level: Level(got.Level),
			Lifetime: time.Duration(got.LifetimeMS) * time.Millisecond,
		}
		if ms := int64(got.ExpiresMS); ms >= 0 {
			definition.Expires = time.UnixMilli(ms)
		}
		return nil
	})
	return definition, err
}

// Find returns the place of the definition with a name, or with tenant/name.
func (d *Definitions) Find(name string) (int, error) {
	return d.place(name, func(definitions *capi.Definitions) (int, capi.Status) { return definitions.Find(name) })
}

// FindID returns the place of the definition that a key id belongs to: that of a [Principal], say.
// Ids come from the lock file when definitions are compiled.
func (d *Definitions) FindID(keyID uint64) (int, error) {
	return d.place(fmt.Sprintf("key id %d", keyID),
		func(definitions *capi.Definitions) (int, capi.Status) { return definitions.FindID(keyID) })
}

// Decide answers a question about the key at a place. The error says why there is no answer; a
// refusal is none.
func (d *Definitions) Decide(at int, question Question) (Decision, error) {
	asked := question.ask()
	if text, ok := asked.withNUL(); ok {
		return Decision{}, fmt.Errorf("%w: %q holds NUL", ErrInvalidQuestion, text)
	}
	decision := Decision{}
	err := d.open(func(definitions *capi.Definitions) error {
		why := make([]byte, capi.LineSize)
		status, ifEnforced, scopesOff := definitions.Decide(at, (*capi.Question)(asked), why)
		answer, ok := answers[status]
		if !ok {
			return definitionsError(status, fmt.Sprintf("place %d", at))
		}
		decision = Decision{Answer: answer, IfEnforced: answers[ifEnforced], ScopesOff: scopesOff, Why: capi.Text(why)}
		return nil
	})
	return decision, err
}

// Gain is one thing that a key gained.
type Gain struct {
	// Code is the stable name of the kind of gain, such as "role-added".
	Code string
	// Key is the key, as tenant/name.
	Key string
	// Message says what it gained, for people.
	Message string
}

// Compare says what keys gain from one version of the definitions to the next.
func Compare(before, after *Definitions) ([]Gain, error) {
	var gains []Gain
	err := before.open(func(before *capi.Definitions) error {
		return after.open(func(after *capi.Definitions) error {
			for size := 1 << 14; ; size *= 4 {
				lines := make([]byte, size)
				count, status := capi.Compare(before, after, lines)
				if status != capi.OK {
					return definitionsError(status, "")
				}
				if gains = parseGains(capi.Text(lines)); len(gains) >= count {
					return nil
				}
			}
		})
	})
	return gains, err
}

// Close frees the definitions. Closing again does nothing.
func (d *Definitions) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.definitions != nil {
		d.definitions.Free()
		d.definitions = nil
	}
	return nil
}

var answers = map[capi.Status]Answer{
	capi.OK: AnswerAllowed, capi.DecisionRefused: AnswerRefused, capi.DecisionUnknown: AnswerUnknown,
}

func (d *Definitions) open(ask func(*capi.Definitions) error) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.definitions == nil {
		return fmt.Errorf("%w: the definitions", ErrClosed)
	}
	return ask(d.definitions)
}

func (d *Definitions) place(what string, find func(*capi.Definitions) (int, capi.Status)) (int, error) {
	at := 0
	err := d.open(func(definitions *capi.Definitions) error {
		found, status := find(definitions)
		if status != capi.OK {
			return definitionsError(status, what)
		}
		at = found
		return nil
	})
	return at, err
}

func definitionsError(status capi.Status, what string) error {
	switch status {
	case capi.NotFound:
		return fmt.Errorf("%w: %s", ErrNotFound, what)
	case capi.AmbiguousName:
		return fmt.Errorf("%w: %s", ErrAmbiguousName, what)
	case capi.InvalidDefinitions, capi.UnsupportedFormat:
		return fmt.Errorf("%w: %s", ErrInvalidDefinitions, status.Message())
	case capi.InvalidOption, capi.InvalidText, capi.TooLarge:
		return fmt.Errorf("%w: %s", ErrInvalidQuestion, status.Message())
	}
	return libraryError(status)
}

// parseGains reads whole lines.
func parseGains(lines string) []Gain {
	var gains []Gain
	for line := range strings.Lines(lines) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(fields) == 3 && strings.HasSuffix(line, "\n") {
			gains = append(gains, Gain{fields[0], fields[1], fields[2]})
		}
	}
	return gains
}
