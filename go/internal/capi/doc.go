// Package capi is the C library as Go sees it: the only place with import "C", built with the tag
// cortexkey_cgo. It refuses callbacks, pointers into C outside a handle, and judgement of its own.
package capi
