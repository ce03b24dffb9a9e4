package cortexkey

// What users would write without this package: the same calls as in the vendor's Go SDK.

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sdkSequence builds the four headers as the vendor's SDK does (cortex-cloud-go 1.1.0,
// generateHeaders, without the headers that do not authenticate): random bytes, a builder, Sprintf,
// a new hash, a map. Like the SDK, it draws some characters more often than others.
func sdkSequence(key, keyID, keyType string) (map[string]string, error) {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	headers := make(map[string]string)
	headers["x-xdr-auth-id"] = keyID
	if strings.ToLower(keyType) == "standard" {
		headers["Authorization"] = key
		return headers, nil
	}
	random := make([]byte, 64)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	var builder strings.Builder
	for _, b := range random {
		builder.WriteByte(characters[b%byte(len(characters))])
	}
	nonce := builder.String()
	timestamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
	hash := sha256.New()
	hash.Write([]byte(fmt.Sprintf("%s%s%s", key, nonce, timestamp)))
	digest := hex.EncodeToString(hash.Sum(nil))
	headers["x-xdr-nonce"] = nonce
	headers["x-xdr-timestamp"] = timestamp
	headers["Authorization"] = digest
	return headers, nil
}

var benchKey = strings.Repeat("DCdIeow0xm73EwnxjPza1tdHTfZQv2eH", 4) // 128 letters and digits, as the product's

func BenchmarkPeerSDKSequence(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sdkSequence(benchKey, "7", "advanced"); err != nil {
			b.Fatal(err)
		}
	}
}

// tight is what an author who optimises would write: buffered random bytes, no allocation, one
// hash.
type tight struct {
	message [128 + 64 + 13]byte
	stock   [4096]byte
	left    int
}

func (t *tight) sign(authorization *[64]byte) error {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for filled := 0; filled < 64; {
		if t.left == 0 {
			if _, err := rand.Read(t.stock[:]); err != nil {
				return err
			}
			t.left = len(t.stock)
		}
		t.left--
		if sixBits := t.stock[t.left] & 63; sixBits < 62 {
			t.message[128+filled] = characters[sixBits]
			filled++
		}
	}
	for ms, at := time.Now().UnixMilli(), len(t.message)-1; at >= 128+64; at-- {
		t.message[at] = byte('0' + ms%10)
		ms /= 10
	}
	digest := sha256.Sum256(t.message[:])
	hex.Encode(authorization[:], digest[:])
	return nil
}

func BenchmarkPeerTight(b *testing.B) {
	var t tight
	copy(t.message[:], benchKey)
	var authorization [64]byte
	b.ReportAllocs()
	for b.Loop() {
		if err := t.sign(&authorization); err != nil {
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
