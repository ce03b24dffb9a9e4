package cortexkey

// What users would write without this package: the vendor's Go SDK's sequence of calls.

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// sdkSequence makes the headers as the vendor's Go SDK does: random bytes, a builder, Sprintf, a new
// hash. It favours some characters, as that does.
func sdkSequence(key string, keyID uint64) (map[string]string, error) {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	random := make([]byte, 64)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	var nonce strings.Builder
	for _, b := range random {
		nonce.WriteByte(characters[int(b)%len(characters)])
	}
	timestamp := fmt.Sprintf("%d", time.Now().UnixMilli())
	hash := sha256.New()
	hash.Write([]byte(fmt.Sprintf("%s%s%s", key, nonce.String(), timestamp)))
	return map[string]string{
		HeaderKeyID:         fmt.Sprintf("%d", keyID),
		HeaderNonce:         nonce.String(),
		HeaderTimestamp:     timestamp,
		HeaderAuthorization: hex.EncodeToString(hash.Sum(nil)),
	}, nil
}

var benchKey = strings.Repeat("DCdIeow0xm73EwnxjPza1tdHTfZQv2eH", 4) // 128 letters and digits, as the product's

func BenchmarkPeerSDKSequence(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sdkSequence(benchKey, 7); err != nil {
			b.Fatal(err)
		}
	}
}

func benchSigner(b *testing.B) *Signer {
	signer, err := NewSigner(7, Advanced, benchKey)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = signer.Close() })
	return signer
}

func BenchmarkSign(b *testing.B) {
	signer := benchSigner(b)
	var s Signature
	b.ReportAllocs()
	for b.Loop() {
		_ = signer.Sign(&s)
	}
}

func BenchmarkSignBatch64(b *testing.B) {
	signer := benchSigner(b)
	batch := make([]Signature, 64)
	b.ReportAllocs()
	for b.Loop() {
		_ = signer.SignBatch(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/signature")
}

func BenchmarkSignRequest(b *testing.B) {
	signer := benchSigner(b)
	req, _ := http.NewRequest(http.MethodPost, "http://127.0.0.1/", http.NoBody)
	b.ReportAllocs()
	for b.Loop() {
		_ = signer.SignRequest(req)
	}
}
