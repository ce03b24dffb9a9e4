//go:build cortexkey_cgo && !cgo

package capi

// Refuses a build with the tag cortexkey_cgo but without cgo, by a name that says why.

var _ = the_tag_cortexkey_cgo_needs_CGO_ENABLED_1_and_a_C_compiler
