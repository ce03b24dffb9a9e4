// Package capi calls the C library. It is the only package with import "C". It makes no callbacks, keeps no pointer into
// C outside a handle, and contains no logic of its own.
package capi
