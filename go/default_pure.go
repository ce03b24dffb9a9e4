//go:build !cortexkey_cgo

package cortexkey

import (
	"github.com/cortexkey/cortexkey/go/internal/access"
	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/hook"
	"github.com/cortexkey/cortexkey/go/internal/purego"
)

// The backend of this package's constructors.
var (
	newSignerBackend   hook.NewSignerBackend // nil: pure Go
	newKeyringBackend  = func() (backend.Keyring, error) { return purego.NewKeyring(), nil }
	loadDefinitions    = access.Load
	backendDescription = func() string { return "pure Go" }
)
