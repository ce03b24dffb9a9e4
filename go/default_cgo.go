//go:build cortexkey_cgo

package cortexkey

// The build tag cortexkey_cgo has the constructors of this package use the C library, as those of
// package lib do. It is deprecated: package lib does so without a tag.

import "github.com/cortexkey/cortexkey/go/internal/library"

var (
	newSignerBackend   = library.NewSigner
	newKeyringBackend  = library.NewKeyring
	loadDefinitions    = library.LoadDefinitions
	backendDescription = library.Description
)
