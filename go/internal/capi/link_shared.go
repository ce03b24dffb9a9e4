//go:build cgo && !cortexkey_static && !cortexkey_bundled

package capi

// The library that pkg-config finds, which the program needs when it runs.

// #cgo pkg-config: cortexkey
import "C"

// Link says how the library was linked.
const Link = "shared"
