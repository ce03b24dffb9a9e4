// Package capi calls the C library: it is the only package with import "C". It makes no callbacks, holds
// no pointer into C outside a handle, and decides nothing itself.
package capi
