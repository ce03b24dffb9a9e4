//go:build cgo

package capi

/*
#cgo noescape cxk_keyring_new
#cgo nocallback cxk_keyring_new
#cgo noescape put_key
#cgo nocallback put_key
#cgo nocallback cxk_keyring_revoke
#cgo nocallback cxk_keyring_remove
#cgo nocallback cxk_keyring_free
#cgo noescape cxk_replay_guard_new
#cgo nocallback cxk_replay_guard_new
#cgo nocallback cxk_replay_guard_free
#cgo noescape cxk_verifier_new
#cgo nocallback cxk_verifier_new
#cgo nocallback cxk_verifier_free
#cgo noescape verify
#cgo nocallback verify
#cgo noescape verify_batch
#cgo nocallback verify_batch
#include "cortexkey.h"

// Go memory that is passed to C must not contain Go pointers, so structures with pointers are built here, on C's stack.

static cxk_status put_key(cxk_keyring *keyring, uint64_t id, cxk_level level, const char *bytes,
                          size_t len, uint64_t expires_ms, uint64_t created_ms, uint32_t flags) {
	cxk_key key = CXK_KEY_INIT;
	key.key_id = id;
	key.level = level;
	key.key = bytes;
	key.key_len = len;
	key.expires_ms = expires_ms;
	key.created_ms = created_ms;
	key.flags = flags;
	return cxk_keyring_put(keyring, &key);
}

// A length of SIZE_MAX means that the header is absent.
static cxk_status verify(const cxk_verifier *verifier, const char *id, size_t id_len,
                         const char *authorization, size_t authorization_len, const char *nonce,
                         size_t nonce_len, const char *timestamp, size_t timestamp_len,
                         uint64_t now_ms, cxk_principal *out) {
	cxk_header headers[4];
	size_t count = 0;
#define HEADER(name, text, len)                                                  \
	if ((len) != SIZE_MAX)                                                       \
	headers[count++] = (cxk_header){name, sizeof(name) - 1, text, len}
	HEADER(CXK_HEADER_KEY_ID, id, id_len);
	HEADER(CXK_HEADER_AUTHORIZATION, authorization, authorization_len);
	HEADER(CXK_HEADER_NONCE, nonce, nonce_len);
	HEADER(CXK_HEADER_TIMESTAMP, timestamp, timestamp_len);
#undef HEADER
	return cxk_verify(verifier, headers, count, now_ms, out);
}

enum { BATCH_MAX = 64, ABSENT = UINT16_MAX };

// The values of all requests are concatenated; each request has four lengths.
static void verify_batch(const cxk_verifier *verifier, const char *values, const uint16_t *lens,
                         size_t count, uint64_t now_ms, cxk_status *statuses,
                         cxk_principal *principals) {
	static const struct {
		const char *name;
		size_t len;
	} names[4] = {{CXK_HEADER_KEY_ID, sizeof(CXK_HEADER_KEY_ID) - 1},
	              {CXK_HEADER_AUTHORIZATION, sizeof(CXK_HEADER_AUTHORIZATION) - 1},
	              {CXK_HEADER_NONCE, sizeof(CXK_HEADER_NONCE) - 1},
	              {CXK_HEADER_TIMESTAMP, sizeof(CXK_HEADER_TIMESTAMP) - 1}};
	cxk_header headers[4 * BATCH_MAX];
	cxk_request requests[BATCH_MAX];
	cxk_header *header = headers;
	for (size_t i = 0; i < count && i < BATCH_MAX; i++) {
		requests[i].headers = header;
		for (size_t j = 0; j < 4; j++) {
			const uint16_t len = lens[4 * i + j];
			if (len == ABSENT) continue;
			*header++ = (cxk_header){names[j].name, names[j].len, values, len};
			values += len;
		}
		requests[i].count = (size_t)(header - requests[i].headers);
	}
	// The statuses are enough: if the call itself fails, every one of them is its status.
	const cxk_status all = cxk_verify_batch(verifier, requests, count, now_ms, statuses, principals);
	(void)all;
}
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// Keyring is a handle of the library.
type Keyring struct {
	handle  *C.cxk_keyring
	cleanup runtime.Cleanup
}

// NewKeyring creates a handle. The garbage collector frees it, but Free does so at a known time.
func NewKeyring() (*Keyring, Status) {
	if !abiMatches() {
		return nil, ABIMismatch
	}
	keyring := new(Keyring)
	if status := C.cxk_keyring_new(&keyring.handle); status != C.CXK_OK {
		return nil, Status(status)
	}
	keyring.cleanup = runtime.AddCleanup(keyring, freeKeyring, keyring.handle)
	return keyring, OK
}

// Put adds a key, or replaces the key with the same id.
func (k *Keyring) Put(id uint64, level uint32, key []byte, expiresMS, createdMS uint64, revoked bool) Status {
	flags := C.uint32_t(0)
	if revoked {
		flags = C.CXK_KEY_REVOKED
	}
	status := C.put_key(k.handle, C.uint64_t(id), C.cxk_level(level), chars(key), C.size_t(len(key)),
		C.uint64_t(expiresMS), C.uint64_t(createdMS), flags)
	runtime.KeepAlive(k)
	return Status(status)
}

// Revoke revokes a key until it is put again.
func (k *Keyring) Revoke(id uint64) Status {
	status := C.cxk_keyring_revoke(k.handle, C.uint64_t(id))
	runtime.KeepAlive(k)
	return Status(status)
}

// Remove removes and wipes a key.
func (k *Keyring) Remove(id uint64) Status {
	status := C.cxk_keyring_remove(k.handle, C.uint64_t(id))
	runtime.KeepAlive(k)
	return Status(status)
}

// Free frees the handle; calls on it then return NullArg.
func (k *Keyring) Free() {
	k.cleanup.Stop()
	freeKeyring(k.handle)
	k.handle = nil
}

func freeKeyring(handle *C.cxk_keyring) { C.cxk_keyring_free(handle) }

// ReplayGuard is a handle of the library.
type ReplayGuard struct {
	handle  *C.cxk_replay_guard
	cleanup runtime.Cleanup
}

// GuardOptions configures a guard.
type GuardOptions struct {
	Entries, SkewMS, StartedMS, Keys uint64
	UsesPerKey                       uint32
	First                            bool
}

// NewReplayGuard creates a handle. The garbage collector frees it, but Free does so at a known time.
func NewReplayGuard(o GuardOptions) (*ReplayGuard, Status) {
	if !abiMatches() {
		return nil, ABIMismatch
	}
	options := C.cxk_replay_guard_options{
		struct_size: C.uint32_t(unsafe.Sizeof(C.cxk_replay_guard_options{})),
		entries:     C.uint64_t(o.Entries), skew_ms: C.uint64_t(o.SkewMS), started_ms: C.uint64_t(o.StartedMS),
		uses_per_key: C.uint32_t(o.UsesPerKey), keys: C.uint64_t(o.Keys),
	}
	if o.First {
		options.flags = C.CXK_REPLAY_GUARD_FIRST
	}
	guard := new(ReplayGuard)
	if status := C.cxk_replay_guard_new(&options, &guard.handle); status != C.CXK_OK {
		return nil, Status(status)
	}
	guard.cleanup = runtime.AddCleanup(guard, freeGuard, guard.handle)
	return guard, OK
}

// Free frees the handle. Verifiers that were created with it keep the guard.
func (g *ReplayGuard) Free() {
	g.cleanup.Stop()
	freeGuard(g.handle)
	g.handle = nil
}

func freeGuard(handle *C.cxk_replay_guard) { C.cxk_replay_guard_free(handle) }

// Verifier is a handle of the library.
type Verifier struct {
	handle  *C.cxk_verifier
	cleanup runtime.Cleanup
}

// NewVerifier creates a handle. A nil guard means that the caller has its own. The garbage collector frees the handle,
// but Free does so at a known time.
func NewVerifier(keyring *Keyring, guard *ReplayGuard, skewMS uint64, lenientNonces bool) (*Verifier, Status) {
	options := C.cxk_verifier_options{
		struct_size: C.uint32_t(unsafe.Sizeof(C.cxk_verifier_options{})), skew_ms: C.uint64_t(skewMS),
	}
	if lenientNonces {
		options.flags |= C.CXK_VERIFIER_LENIENT_NONCES
	}
	var handle *C.cxk_replay_guard
	if guard == nil {
		options.flags |= C.CXK_VERIFIER_OWN_GUARD
	} else {
		handle = guard.handle
	}
	verifier := new(Verifier)
	status := C.cxk_verifier_new(&options, keyring.handle, handle, &verifier.handle)
	runtime.KeepAlive(keyring)
	runtime.KeepAlive(guard)
	if status != C.CXK_OK {
		return nil, Status(status)
	}
	verifier.cleanup = runtime.AddCleanup(verifier, freeVerifier, verifier.handle)
	return verifier, OK
}

// Principal is the sender of a request.
type Principal struct {
	c C.cxk_principal
}

// KeyID returns the id of the key.
func (p *Principal) KeyID() uint64 { return uint64(p.c.key_id) }

// Level returns the level of the key.
func (p *Principal) Level() uint32 { return uint32(p.c.level) }

// ExpiresMS returns when the key expires.
func (p *Principal) ExpiresMS() uint64 { return uint64(p.c.expires_ms) }

// SignedMS returns the request's timestamp; 0 with a Standard key.
func (p *Principal) SignedMS() uint64 { return uint64(p.c.signed_ms) }

// RememberUntilMS returns the time until which the caller's guard must remember the tag; 0 if there is no tag.
func (p *Principal) RememberUntilMS() uint64 { return uint64(p.c.remember_until_ms) }

// CopyTag copies the tag for the caller's guard.
func (p *Principal) CopyTag(to *[16]byte) {
	for i, b := range p.c.replay_tag {
		to[i] = byte(b)
	}
}

// Verify verifies a request with these header values; nil for a missing header.
func (v *Verifier) Verify(keyID, authorization, nonce, timestamp *string, nowMS uint64, out *Principal) Status {
	id, idLen := value(keyID)
	au, auLen := value(authorization)
	no, noLen := value(nonce)
	ts, tsLen := value(timestamp)
	status := C.verify(v.handle, id, idLen, au, auLen, no, noLen, ts, tsLen, C.uint64_t(nowMS), &out.c)
	runtime.KeepAlive(v)
	return Status(status)
}

// BatchMax is the largest number of requests in a batch.
const BatchMax = C.BATCH_MAX

// valueSeen is how many bytes of a value are passed on. The library refuses every longer value, so the rest does not
// matter.
const valueSeen = 257

// Batch holds the requests of VerifyBatch and their results. Its memory is reused after Reset.
type Batch struct {
	values     []byte
	lens       [4 * BatchMax]C.uint16_t
	count      int
	statuses   [BatchMax]C.cxk_status
	principals [BatchMax]Principal
}

// Reset removes the requests.
func (b *Batch) Reset() {
	b.values, b.count = b.values[:0], 0
}

// Add adds a request, at most BatchMax; nil for a missing header.
func (b *Batch) Add(keyID, authorization, nonce, timestamp *string) {
	for i, text := range [...]*string{keyID, authorization, nonce, timestamp} {
		length := C.uint16_t(C.ABSENT)
		if text != nil {
			seen := (*text)[:min(len(*text), valueSeen)]
			b.values = append(b.values, seen...)
			length = C.uint16_t(len(seen))
		}
		b.lens[4*b.count+i] = length
	}
	b.count++
}

// Status returns the status of a request after VerifyBatch.
func (b *Batch) Status(i int) Status { return Status(b.statuses[i]) }

// Principal returns the sender of a request after VerifyBatch; all zeros if it was refused.
func (b *Batch) Principal(i int) *Principal { return &b.principals[i] }

// VerifyBatch verifies the requests of a batch in one call. Each status is what Verify would return.
func (v *Verifier) VerifyBatch(b *Batch, nowMS uint64) {
	if b.count == 0 {
		return
	}
	values := (*C.char)(unsafe.Pointer(unsafe.SliceData(b.values)))
	C.verify_batch(v.handle, values, &b.lens[0], C.size_t(b.count), C.uint64_t(nowMS), &b.statuses[0], &b.principals[0].c)
	clear(b.values)
	runtime.KeepAlive(v)
}

// Free frees the handle; calls on it then return NullArg.
func (v *Verifier) Free() {
	v.cleanup.Stop()
	freeVerifier(v.handle)
	v.handle = nil
}

func freeVerifier(handle *C.cxk_verifier) { C.cxk_verifier_free(handle) }

// value returns a string's bytes and their length, which is SIZE_MAX for nil.
func value(text *string) (*C.char, C.size_t) {
	if text == nil {
		return nil, ^C.size_t(0)
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(*text))), C.size_t(len(*text))
}
