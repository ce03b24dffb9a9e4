//go:build !cortexkey_cgo

package cortexkey

// What needs the C library is not there without it: a program that uses it does not compile, and the
// compiler's message names the build tag.

// NewMemoryGuard needs the C library: build with -tags cortexkey_cgo. Without it, give
// [NewVerifier] a [ReplayGuard] of your own.
func NewMemoryGuard(needs_the_build_tag_cortexkey_cgo) (never, error) { return never{}, ErrLibrary }

// LoadDefinitions needs the C library: build with -tags cortexkey_cgo.
func LoadDefinitions(needs_the_build_tag_cortexkey_cgo) (never, error) { return never{}, ErrLibrary }

// Nobody has a value of this type.
type needs_the_build_tag_cortexkey_cgo struct{ _ [0]func() }

type never struct{ _ [0]func() }
