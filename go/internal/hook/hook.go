// Package hook lets package lib create the types of package cortexkey on top of the C library,
// without exported functions in package cortexkey. Package cortexkey sets the variables when it is
// initialised.
package hook

import "github.com/cortexkey/cortexkey/go/internal/backend"

// NewSignerBackend creates a signer's backend from arguments that package cortexkey has checked.
type NewSignerBackend func(keyID uint64, advanced bool, key []byte) (backend.Signer, error)

var (
	// SignerOption returns a cortexkey.Option that gives a signer another backend.
	SignerOption func(NewSignerBackend) any
	// Keyring returns a *cortexkey.Keyring over a backend.
	Keyring func(backend.Keyring) any
	// Definitions returns a *cortexkey.Definitions over a backend.
	Definitions func(backend.Definitions) any
	// DefinitionsBackend calls use with the backend of a *cortexkey.Definitions, which is not closed
	// during the call.
	DefinitionsBackend func(definitions any, use func(backend.Definitions) error) error
	// GuardOptions returns the checked values of a cortexkey.MemoryGuardConfig.
	GuardOptions func(config any) (backend.GuardOptions, error)
)
