package cortexkey

// The headers of one request. They are never printed, because those of a Standard key contain the
// key.

import (
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"strings"
)

// The names of the headers in net/http's spelling; HTTP ignores case.
const (
	HeaderKeyID         = "X-Xdr-Auth-Id"
	HeaderAuthorization = "Authorization"
	HeaderNonce         = "X-Xdr-Nonce"
	HeaderTimestamp     = "X-Xdr-Timestamp"
	HeaderChildTenant   = "X-Child-Tenant-Id"
)

// Headers are the authentication headers of one request: two for a Standard key, four for an
// Advanced one. They print, log and marshal without their values.
type Headers struct {
	// Returns the value for an index of headerNames. It is a function because fmt prints unexported
	// fields without calling their Format method, but does not look into functions.
	values func(at int) string
}

// KeyID returns the value of [HeaderKeyID].
func (h Headers) KeyID() string { return h.value(keyIDAt) }

// Authorization returns the digest, or the key itself if its level is Standard.
func (h Headers) Authorization() string { return h.value(authorizationAt) }

// Nonce returns the value of [HeaderNonce]; empty with a Standard key.
func (h Headers) Nonce() string { return h.value(nonceAt) }

// Timestamp returns the value of [HeaderTimestamp]; empty with a Standard key.
func (h Headers) Timestamp() string { return h.value(timestampAt) }

// ChildTenant returns the value of [HeaderChildTenant]; empty without [WithChildTenant].
func (h Headers) ChildTenant() string { return h.value(childTenantAt) }

// All returns the name and value of each header to send.
func (h Headers) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i, name := range headerNames {
			if value := h.value(i); value != "" && !yield(name, value) {
				return
			}
		}
	}
}

// Set writes the headers to an [http.Header] and replaces existing ones in any case, including the nonce and
// time of an earlier attempt. A nil header is an error.
func (h Headers) Set(header http.Header) error {
	if header == nil {
		return fmt.Errorf("%w: Headers.Set(nil); give a header such as http.Header{}", ErrNil)
	}
	if h.values == nil {
		return fmt.Errorf("%w: Headers; a signer returns them", ErrNil)
	}
	var values headerValues
	for i := range values {
		values[i] = h.values(i)
	}
	values.set(header)
	return nil
}

// Format writes the key id and no other value, whatever the verb.
func (h Headers) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, h.redacted())
}

// LogValue returns the key id and no other value.
func (h Headers) LogValue() slog.Value { return slog.StringValue(h.redacted()) }

// MarshalJSON writes the key id and no other value. To send the headers, use [Headers.All].
func (h Headers) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"key_id":%q,"authorization":"REDACTED"}`, h.KeyID()), nil
}

func (h Headers) redacted() string {
	return "cortexkey.Headers{key id " + h.KeyID() + ", REDACTED}"
}

func (h Headers) value(at int) string {
	if h.values == nil {
		return ""
	}
	return h.values(at)
}

// headerValues are the values in the order of headerNames; those not to be sent are empty.
type headerValues [5]string

const (
	keyIDAt = iota
	authorizationAt
	nonceAt
	timestampAt
	childTenantAt
)

var headerNames = [5]string{HeaderKeyID, HeaderAuthorization, HeaderNonce, HeaderTimestamp, HeaderChildTenant}

// hidden returns headers that hide the values from fmt in a function.
func (v headerValues) hidden() Headers {
	return Headers{values: func(at int) string { return v[at] }}
}

func (v headerValues) set(header http.Header) {
	for name := range header {
		// A child tenant that the caller set stays, unless the signer has one.
		if at := headerAt(name); at >= 0 && (at != childTenantAt || v[at] != "") {
			delete(header, name)
		}
	}
	// All headers share one slice of values.
	all := v[:]
	for i, name := range headerNames {
		if v[i] != "" {
			header[name] = all[i : i+1 : i+1]
		}
	}
}

// removeAll removes the authentication headers.
func removeAll(header http.Header) {
	for name := range header {
		if at := headerAt(name); at >= 0 && at != childTenantAt {
			delete(header, name)
		}
	}
}

// headerAt is the index of a name in headerNames, in any case; negative if it is not there.
func headerAt(name string) int {
	for at, ours := range headerNames {
		if len(name) == len(ours) && strings.EqualFold(name, ours) {
			return at
		}
	}
	return -1
}
