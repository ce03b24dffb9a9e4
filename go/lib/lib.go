//go:build cgo

// Package lib creates signers, keyrings and definitions that use the C library libcortexkey. They
// have the types of package cortexkey, so its transport, verifier and middleware accept them.
//
//	signer, err := lib.NewSigner(7, cortexkey.Advanced, key)
//	transport, err := cortexkey.NewTransport(signer, nil, host)
//
//	keyring, err := lib.NewKeyring()
//	guard, err := lib.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 120_000, Started: time.Now()})
//	verifier, err := cortexkey.NewVerifier(keyring, guard)
//
// Package cortexkey does all of this in pure Go, with the same results. Use this package for
// batches of signatures, for [Compare], or to have one implementation for all of your languages.
//
// It needs cgo, a C compiler, and the library when the program is built:
//
//   - without a build tag, pkg-config finds the shared library, which the program also needs when it runs;
//   - with cortexkey_static, pkg-config finds the archive (cortexkey-static), and the program needs nothing;
//   - with cortexkey_bundled, the archive comes with the release file cortexkey-go-VERSION.tar.gz.
//
// Go asks pkg-config only when it compiles the package: after pointing PKG_CONFIG_PATH at another library,
// run go clean -cache.
package lib

import (
	"context"
	"errors"
	"fmt"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/hook"
	"github.com/cortexkey/cortexkey/go/internal/library"
)

// Version describes the library, its release and how it was linked.
func Version() string { return library.Description() }

// NewSigner is [cortexkey.NewSigner] with the C library.
func NewSigner[K ~string | ~[]byte](keyID uint64, level cortexkey.Level, key K, opts ...cortexkey.Option) (*cortexkey.Signer, error) {
	over, ok := hook.SignerOption(library.NewSigner).(cortexkey.Option)
	if !ok {
		return nil, errHook
	}
	return cortexkey.NewSigner(keyID, level, key, append(opts[:len(opts):len(opts)], over)...)
}

// NewKeyring is [cortexkey.NewKeyring] with the C library, which also verifies the requests of its
// keys.
func NewKeyring() (*cortexkey.Keyring, error) {
	made, err := library.NewKeyring()
	if err != nil {
		return nil, err
	}
	keyring, ok := hook.Keyring(made).(*cortexkey.Keyring)
	if !ok {
		return nil, errHook
	}
	return keyring, nil
}

// LoadDefinitions is [cortexkey.LoadDefinitions] with the C library.
func LoadDefinitions(compiled []byte) (*cortexkey.Definitions, error) {
	made, err := library.LoadDefinitions(compiled)
	if err != nil {
		return nil, err
	}
	definitions, ok := hook.Definitions(made).(*cortexkey.Definitions)
	if !ok {
		return nil, errHook
	}
	return definitions, nil
}

// Gain is one thing that a key gained.
type Gain struct {
	// Code is the stable name of the kind of gain, such as "role-added".
	Code string
	// Key is the key, as tenant/name.
	Key string
	// Message is what it gained, for people.
	Message string
}

// Compare returns what keys gain from one version of the definitions to the next, in the order of
// the definitions after. Both must come from [LoadDefinitions]; others are
// [cortexkey.ErrInvalidDefinitions].
func Compare(before, after *cortexkey.Definitions) ([]Gain, error) {
	var gains []Gain
	err := hook.DefinitionsBackend(before, func(old backend.Definitions) error {
		return hook.DefinitionsBackend(after, func(new backend.Definitions) error {
			found, ok, err := library.Compare(old, new)
			if !ok {
				return fmt.Errorf("%w: both definitions must come from lib.LoadDefinitions", cortexkey.ErrInvalidDefinitions)
			}
			for _, gain := range found {
				gains = append(gains, Gain(gain))
			}
			return err
		})
	})
	return gains, err
}

// MemoryGuard is the C library's replay guard, for keyrings of this package only. It gives the same
// guarantees as [cortexkey.MemoryGuard]. Any number of goroutines may use it at once.
type MemoryGuard struct {
	guard
}

type guard = library.Guard

// NewMemoryGuard creates a guard and allocates its memory.
func NewMemoryGuard(config cortexkey.MemoryGuardConfig) (*MemoryGuard, error) {
	options, err := hook.GuardOptions(config)
	if err != nil {
		return nil, err
	}
	made := &MemoryGuard{}
	if err := made.guard.Open(options); err != nil {
		return nil, err
	}
	return made, nil
}

// Remember always refuses: only a verifier can use a MemoryGuard, within the C library.
func (*MemoryGuard) Remember(context.Context, [16]byte, time.Time) error {
	return cortexkey.VerdictReplayGuardUnavailable
}

// Close frees the guard once no verifier uses it. Closing again does nothing.
func (g *MemoryGuard) Close() error {
	if g != nil {
		g.guard.Free()
	}
	return nil
}

var errHook = errors.New("cortexkey: package lib and package cortexkey are from different releases")
