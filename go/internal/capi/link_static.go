//go:build cgo && cortexkey_static && !cortexkey_bundled

package capi

// The archive that pkg-config finds; the program needs nothing of it when it runs.

// #cgo pkg-config: cortexkey-static
import "C"

// Link says how the library was linked.
const Link = "static"
