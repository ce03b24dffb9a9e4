//go:build cgo

package capi

// Tests the checks of the C library, which the checks of the Go module would otherwise hide.

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

const level = 2 // Advanced

var nonce = bytes.Repeat([]byte{'n'}, 64)

func TestNewSignerRefuses(t *testing.T) {
	key := []byte("a-key")
	for _, test := range []struct {
		keyID uint64
		level uint32
		key   []byte
		want  Status
	}{
		{0, level, key, InvalidKeyID},
		{7, 0, key, InvalidLevel},
		{7, level, nil, NullArg},
		{7, level, []byte{}, InvalidKey},
		{7, level, bytes.Repeat(key, 52), InvalidKey},
		{7, level, []byte("new\nline"), InvalidKey},
	} {
		if signer, status := NewSigner(test.keyID, test.level, test.key); signer != nil || status != test.want {
			t.Errorf("%v: %s, want %s", test, status.Name(), test.want.Name())
		}
	}
}

func TestHeadersAtRefuses(t *testing.T) {
	signer, status := NewSigner(7, level, []byte("a-key"))
	if status != OK {
		t.Fatal(status.Message())
	}
	var headers Headers
	for _, test := range []struct {
		nonce []byte
		ms    uint64
		want  Status
	}{
		{nonce, 1_700_000_000_000, OK},
		{nil, 1_700_000_000_000, NullArg},
		{nonce[1:], 1_700_000_000_000, InvalidNonce},
		{nonce, 1_700_000_000, InvalidTimestamp},
	} {
		status := signer.HeadersAt(test.nonce, test.ms, &headers)
		if status != test.want || (headers.Authorization() == "") != (status != OK) {
			t.Errorf("%s, want %s", status.Name(), test.want.Name())
		}
	}
	signer.Free()
	if status := signer.HeadersAt(nonce, 1_700_000_000_000, &headers); status != NullArg {
		t.Errorf("after Free: %s", status.Name())
	}
}

func TestHeadersAndWords(t *testing.T) {
	signer, status := NewSigner(7, level, []byte("a-key"))
	if status != OK {
		t.Fatal(status.Message())
	}
	defer signer.Free()
	var headers Headers
	if status := signer.HeadersAt(nonce, 1_700_000_000_000, &headers); status != OK {
		t.Fatal(status.Message())
	}
	if headers.KeyID() != "7" || headers.Nonce() != string(nonce) || headers.Timestamp() != "1700000000000" {
		t.Errorf("%q %q %q", headers.KeyID(), headers.Nonce(), headers.Timestamp())
	}
	headers.Wipe()
	if headers.KeyID()+headers.Authorization() != "" {
		t.Error("headers are there after Wipe")
	}
	if Status(1).Name() != "unknown-status" || !strings.Contains(InvalidKey.Message(), "ASCII") || Version() == "" {
		t.Error("words are wrong")
	}
}

func TestLostHandlesAreFreed(t *testing.T) {
	for range 1000 {
		if _, status := NewSigner(7, level, []byte("a-key")); status != OK {
			t.Fatal(status.Message())
		}
	}
	runtime.GC()
}
