//go:build cgo && !cortexkey_static && !cortexkey_bundled

package capi

// Links the shared library that pkg-config finds. The program needs it at run time.

// #cgo pkg-config: cortexkey
import "C"

// Link describes how the library was linked.
const Link = "shared"
