package cortexkey

import (
	"encoding/json"
	"os"
	"testing"
)

// The codes of the table equal those of the vectors.
func TestVerdictCodes(t *testing.T) {
	text, err := os.ReadFile("testdata/auth.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Verifying []struct{ Verdict string }
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	codes := map[string]Verdict{}
	for verdict := range verdicts {
		codes[verdict.String()] = verdict
	}
	for _, vector := range vectors.Verifying {
		verdict, ok := codes[vector.Verdict]
		if !ok {
			t.Errorf("no verdict has the code %q", vector.Verdict)
		}
		if verdict.Message() == "" || verdict.Cause() == "" || verdict.Remedy() == "" {
			t.Errorf("%v lacks a text", verdict)
		}
	}
	if VerdictAccept != 0 || VerdictReplayed != -114 || Verdict(5).String() != "unknown-status" {
		t.Error("numbers have changed")
	}
}
