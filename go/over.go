package cortexkey

// Hooks with which package lib creates this package's types on top of the C library.

import (
	"fmt"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/hook"
)

// Backend describes the implementation that this package's constructors use: "pure Go", or, with
// the deprecated build tag cortexkey_cgo, the C library and its release.
func Backend() string { return backendDescription() }

func init() {
	hook.SignerOption = func(over hook.NewSignerBackend) any {
		return Option(func(s *Signer) error {
			s.over = over
			return nil
		})
	}
	hook.Keyring = func(b backend.Keyring) any { return newKeyring(b) }
	hook.Definitions = func(b backend.Definitions) any { return newDefinitions(b) }
	hook.GuardOptions = func(config any) (backend.GuardOptions, error) {
		c, ok := config.(MemoryGuardConfig)
		if !ok {
			return backend.GuardOptions{}, fmt.Errorf("%w: %T", ErrInvalidOption, config)
		}
		return c.check()
	}
	hook.DefinitionsBackend = func(definitions any, use func(backend.Definitions) error) error {
		d, ok := definitions.(*Definitions)
		if !ok {
			return fmt.Errorf("%w: %T", ErrInvalidDefinitions, definitions)
		}
		return d.open(use)
	}
}
