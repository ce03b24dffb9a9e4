package purego

// Nonces: characters are evenly distributed, and bytes that stand for no character are drawn again.

import (
	"bytes"
	"testing"
)

func TestNoncesAreSpread(t *testing.T) {
	const nonces = 20_000
	var counts [256]int
	for range nonces {
		var nonce [NonceBytes]byte
		if err := Draw(&nonce); err != nil {
			t.Fatal(err)
		}
		for _, c := range nonce {
			counts[c]++
		}
	}
	// Chi-squared with 61 degrees of freedom: above 131 once in a million runs. A remainder
	// (byte % 62) gives thousands.
	expected := float64(nonces*NonceBytes) / float64(len(alphabet))
	chi := 0.0
	for _, c := range []byte(alphabet) {
		d := float64(counts[c]) - expected
		chi += d * d / expected
	}
	if chi > 131 {
		t.Errorf("chi-squared %.1f", chi)
	}
}

func TestRejectedBytesAreDrawnAgain(t *testing.T) {
	// 62 and 63 stand for no character, so the first block yields none.
	source := append(bytes.Repeat([]byte{62, 63}, 36), bytes.Repeat([]byte{61}, 72)...)
	var nonce [NonceBytes]byte
	if err := DrawFrom(bytes.NewReader(source), &nonce); err != nil {
		t.Fatal(err)
	}
	if string(nonce[:]) != string(bytes.Repeat([]byte{'9'}, NonceBytes)) {
		t.Errorf("%q", nonce)
	}
}

func TestUsedRandomBytesAreErased(t *testing.T) {
	w := workers.New().(*worker)
	var nonce [NonceBytes]byte
	for range 100 {
		if err := w.draw(&nonce); err != nil {
			t.Fatal(err)
		}
		for i, b := range w.random[:w.next] {
			if b != 0 {
				t.Fatalf("byte %d of %d is still there", i, w.next)
			}
		}
	}
}
