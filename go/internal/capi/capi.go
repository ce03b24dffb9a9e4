//go:build cgo

package capi

/*
#cgo noescape cxk_signer_new
#cgo nocallback cxk_signer_new
#cgo noescape cxk_signer_headers_at
#cgo nocallback cxk_signer_headers_at
#cgo noescape cxk_signer_sign_batch
#cgo nocallback cxk_signer_sign_batch
#cgo noescape cxk_wipe
#cgo nocallback cxk_wipe
#cgo nocallback cxk_signer_free
#cgo nocallback cxk_abi_version
#include "cortexkey.h"
#if CXK_ABI_VERSION != 0
#error "this Go module is written for CXK_ABI_VERSION 0; take the module of the same release as the header"
#endif
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// Status is the result of a call of the library.
type Status int32

// The statuses that the Go module checks for.
const (
	OK                 Status = C.CXK_OK
	NullArg            Status = C.CXK_NULL_ARG
	WrongHandle        Status = C.CXK_WRONG_HANDLE
	InvalidKey         Status = C.CXK_INVALID_KEY
	InvalidKeyID       Status = C.CXK_INVALID_KEY_ID
	InvalidLevel       Status = C.CXK_INVALID_LEVEL
	InvalidNonce       Status = C.CXK_INVALID_NONCE
	InvalidTimestamp   Status = C.CXK_INVALID_TIMESTAMP
	ABIMismatch        Status = C.CXK_ABI_MISMATCH
	InvalidOption      Status = C.CXK_INVALID_OPTION
	InvalidText        Status = C.CXK_INVALID_TEXT
	NotFound           Status = C.CXK_NOT_FOUND
	AmbiguousName      Status = C.CXK_AMBIGUOUS_NAME
	InvalidDefinitions Status = C.CXK_INVALID_DEFINITIONS
	UnsupportedFormat  Status = C.CXK_UNSUPPORTED_FORMAT
	TooLarge           Status = C.CXK_TOO_LARGE
	DecisionRefused    Status = C.CXK_DECISION_REFUSED
	DecisionUnknown    Status = C.CXK_DECISION_UNKNOWN
)

// Name returns the stable code of a status, such as "invalid-nonce".
func (s Status) Name() string { return C.GoString(C.cxk_status_name(C.cxk_status(s))) }

// Message returns a description of a status.
func (s Status) Message() string { return C.GoString(C.cxk_status_message(C.cxk_status(s))) }

// Version returns the release of the library.
func Version() string { return C.GoString(C.cxk_version()) }

// abiMatches reports whether the loaded library has the header's ABI.
func abiMatches() bool { return C.cxk_abi_version() == C.CXK_ABI_VERSION }

// Headers holds the headers of one request.
type Headers struct {
	c C.cxk_headers
}

// Authorization returns the digest, or the key itself if its level is Standard.
func (h *Headers) Authorization() string { return string(text(h.c.authorization[:])) }

// CopyAuthorization copies the digest, or the key itself if its level is Standard.
func (h *Headers) CopyAuthorization(to []byte) { copy(to, text(h.c.authorization[:])) }

// CopyTimestamp copies the time; nothing with a Standard key.
func (h *Headers) CopyTimestamp(to []byte) { copy(to, text(h.c.timestamp[:])) }

// KeyID returns the key id.
func (h *Headers) KeyID() string { return string(text(h.c.key_id[:])) }

// Nonce returns the nonce; empty with a Standard key.
func (h *Headers) Nonce() string { return string(text(h.c.nonce[:])) }

// Timestamp returns the time; empty with a Standard key.
func (h *Headers) Timestamp() string { return string(text(h.c.timestamp[:])) }

// Wipe overwrites the headers with zeros.
func (h *Headers) Wipe() { C.cxk_wipe(unsafe.Pointer(&h.c), C.size_t(unsafe.Sizeof(h.c))) }

// SignatureSize is the size of cxk_signature.
const SignatureSize = unsafe.Sizeof(C.cxk_signature{})

// Signer is a handle of the library. Goroutines may share it. It is freed once, when it is no longer used.
type Signer struct {
	handle  *C.cxk_signer
	cleanup runtime.Cleanup
}

// NewSigner creates a handle. The garbage collector frees it, but Free does so at a known time.
func NewSigner(keyID uint64, level uint32, key []byte) (*Signer, Status) {
	if !abiMatches() {
		return nil, ABIMismatch
	}
	signer := new(Signer)
	status := C.cxk_signer_new(C.uint64_t(keyID), C.cxk_level(level), chars(key), C.size_t(len(key)), &signer.handle)
	if status != C.CXK_OK {
		return nil, Status(status)
	}
	signer.cleanup = runtime.AddCleanup(signer, freeSigner, signer.handle)
	return signer, OK
}

// HeadersAt signs with a nonce and a time.
func (s *Signer) HeadersAt(nonce []byte, timestampMS uint64, out *Headers) Status {
	status := C.cxk_signer_headers_at(s.handle, chars(nonce), C.size_t(len(nonce)), C.uint64_t(timestampMS), &out.c)
	runtime.KeepAlive(s)
	return Status(status)
}

// SignBatch fills an array of count signatures, each of SignatureSize bytes.
func (s *Signer) SignBatch(out unsafe.Pointer, count int) Status {
	status := C.cxk_signer_sign_batch(s.handle, (*C.cxk_signature)(out), C.size_t(count))
	runtime.KeepAlive(s)
	return Status(status)
}

// Free wipes and frees the handle; calls on it then return NullArg.
func (s *Signer) Free() {
	s.cleanup.Stop()
	freeSigner(s.handle)
	s.handle = nil
}

func freeSigner(handle *C.cxk_signer) { C.cxk_signer_free(handle) }

// chars returns a pointer to the bytes; NULL for a nil slice.
func chars(bytes []byte) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(bytes)))
}

// text returns the bytes before the NUL.
func text(array []C.char) []byte {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(array))), len(array))
	for i, b := range bytes {
		if b == 0 {
			return bytes[:i]
		}
	}
	return bytes
}
