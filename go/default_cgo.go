//go:build cortexkey_cgo

package cortexkey

// With the build tag cortexkey_cgo, the constructors of this package use the C library, like those
// of package lib. The tag is deprecated: package lib needs none.

import "github.com/cortexkey/cortexkey/go/internal/library"

var (
	newSignerBackend   = library.NewSigner
	newKeyringBackend  = library.NewKeyring
	loadDefinitions    = library.LoadDefinitions
	backendDescription = library.Description
)
