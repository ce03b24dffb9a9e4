//go:build cgo

package library

import (
	"fmt"
	"strings"
	"sync"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/capi"
)

type definitions struct {
	handle *capi.Definitions
}

// LoadDefinitions reads compiled definitions.
func LoadDefinitions(compiled []byte) (backend.Definitions, error) {
	handle, status := capi.LoadDefinitions(compiled)
	if status != capi.OK {
		return nil, definitionsError(status, "")
	}
	return &definitions{handle}, nil
}

func (d *definitions) At(at int) (backend.Definition, error) {
	got, status := d.handle.Get(at)
	if status != capi.OK {
		return backend.Definition{}, definitionsError(status, fmt.Sprintf("index %d", at))
	}
	return got, nil
}

func (d *definitions) Find(name string) (int, error) {
	at, status := d.handle.Find(name)
	if status != capi.OK {
		return 0, definitionsError(status, name)
	}
	return at, nil
}

func (d *definitions) FindID(keyID uint64) (int, error) {
	at, status := d.handle.FindID(keyID)
	if status != capi.OK {
		return 0, definitionsError(status, fmt.Sprintf("key id %d", keyID))
	}
	return at, nil
}

// lines are buffers for explanations of decisions, which are long if there are many names.
var lines = sync.Pool{New: func() any { return new([capi.LineSize]byte) }}

func (d *definitions) Decide(at int, question *backend.Question) (backend.Decision, error) {
	line := lines.Get().(*[capi.LineSize]byte)
	defer lines.Put(line)
	status, ifEnforced, scopesOff := d.handle.Decide(at, question, line[:])
	answer, ok := answers[status]
	if !ok {
		return backend.Decision{}, definitionsError(status, fmt.Sprintf("index %d", at))
	}
	return backend.Decision{
		Answer: answer, IfEnforced: answers[ifEnforced], ScopesOff: scopesOff, Why: capi.Text(line[:]),
	}, nil
}

func (d *definitions) Close() { d.handle.Free() }

var answers = map[capi.Status]backend.Answer{
	capi.OK: backend.Allowed, capi.DecisionRefused: backend.Refused, capi.DecisionUnknown: backend.Unknown,
}

// Gain is one thing that a key gained: a code, the key as tenant/name, and a sentence.
type Gain struct{ Code, Key, Message string }

// Compare returns what keys gain from one version of the definitions to the next; false if the definitions are not
// from the library.
func Compare(before, after backend.Definitions) ([]Gain, bool, error) {
	old, isOld := before.(*definitions)
	new, isNew := after.(*definitions)
	if !isOld || !isNew {
		return nil, false, nil
	}
	for size := 1 << 14; ; size *= 4 {
		lines := make([]byte, size)
		count, status := capi.Compare(old.handle, new.handle, lines)
		if status != capi.OK {
			return nil, true, definitionsError(status, "")
		}
		if gains := parseGains(capi.Text(lines)); len(gains) >= count {
			return gains, true, nil
		}
	}
}

// parseGains parses complete lines; a truncated last line is dropped.
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

func definitionsError(status capi.Status, what string) error {
	switch status {
	case capi.NotFound:
		return fmt.Errorf("%w: %s", backend.ErrNotFound, what)
	case capi.AmbiguousName:
		return fmt.Errorf("%w: %s; give tenant/name", backend.ErrAmbiguousName, what)
	case capi.InvalidDefinitions, capi.UnsupportedFormat:
		return fmt.Errorf("%w: %s", backend.ErrInvalidDefinitions, status.Message())
	case capi.InvalidOption, capi.InvalidText, capi.TooLarge:
		return fmt.Errorf("%w: %s", backend.ErrInvalidQuestion, status.Message())
	}
	return statusError(status)
}
