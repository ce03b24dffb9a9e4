//go:build cgo && cortexkey_static && !cortexkey_bundled

package capi

// Links the archive that pkg-config finds. The program does not need it at run time.

// #cgo pkg-config: cortexkey-static
import "C"

// Link describes how the library was linked.
const Link = "static"
