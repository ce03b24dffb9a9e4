package cortexkey

// The known answers of vectors/auth.json, with the backend of this build.

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"testing"
)

type vector struct {
	Name          string  `json:"name"`
	KeyID         uint64  `json:"key_id"`
	Level         string  `json:"level"`
	Key           string  `json:"key"`
	Nonce         *string `json:"nonce"`
	TimestampMS   *int64  `json:"timestamp_ms"`
	Authorization string  `json:"authorization"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/auth.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Signing []vector `json:"signing"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Signing) < 65 {
		t.Fatalf("only %d signing vectors", len(all.Signing))
	}
	return all.Signing
}

func TestVectors(t *testing.T) {
	t.Log("backend:", Backend())
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) { v.check(t) })
	}
}

func (v *vector) check(t *testing.T) {
	level, err := ParseLevel(v.Level)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(v.KeyID, level, v.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer signer.Close()
	nonce, ms, timestamp := "", int64(0), ""
	if v.Nonce != nil {
		nonce, ms, timestamp = *v.Nonce, *v.TimestampMS, strconv.FormatInt(*v.TimestampMS, 10)
	}
	headers, err := signer.HeadersAt(nonce, ms)
	if err != nil {
		t.Fatal(err)
	}
	want := headerValues{strconv.FormatUint(v.KeyID, 10), v.Authorization, nonce, timestamp}
	if valuesOf(headers) != want {
		t.Errorf("got %q, want %q", valuesOf(headers), want)
	}
}

// The module's archive has no ../vectors; in the repository the two files must be equal.
func TestVectorsAreThoseOfTheRepository(t *testing.T) {
	theirs, err := os.ReadFile("../vectors/auth.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("outside the repository there is nothing to compare with")
	}
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("testdata/auth.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Error("go/testdata/auth.json is not vectors/auth.json; copy it: cp vectors/auth.json go/testdata/")
	}
}
