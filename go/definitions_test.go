package cortexkey

// Compiled definitions: their contents, their decisions, and invalid input.

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func loadTest(t testing.TB, name string) *Definitions {
	bytes, err := os.ReadFile("testdata/definitions/" + name)
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := LoadDefinitions(bytes)
	if err != nil {
		t.Fatal(err)
	}
	clear(bytes)
	t.Cleanup(func() { _ = definitions.Close() })
	return definitions
}

func TestDefinitions(t *testing.T) {
	after := loadTest(t, "after.ckc")
	var names []string
	for at, definition := range after.All() {
		name := definition.Tenant + "/" + definition.Name
		names = append(names, name)
		if found, err := after.Find(name); found != at || err != nil {
			t.Error(name, found, err)
		}
	}
	if !slices.Equal(names, []string{"eu/export", "lab/lab", "old/lab"}) {
		t.Error(names)
	}
	export, _ := after.At(0)
	if export.KeyID != 17 || export.Level != Advanced || export.Expires.UTC() != time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC) || export.Lifetime != 0 {
		t.Errorf("%+v", export)
	}
	if lab, _ := after.At(1); lab.Lifetime != 180*24*time.Hour || !lab.Expires.IsZero() {
		t.Errorf("%+v", lab)
	}
	if at, err := after.FindID(16); at != 0 || err != nil {
		t.Error(at, err)
	}
	for _, test := range []struct{ got, want error }{
		{errOf(after.Find("lab")), ErrAmbiguousName},
		{errOf(after.Find("")), ErrNotFound},
		{errOf(after.Find("nobody")), ErrNotFound},
		{errOf(after.Find("\xff")), ErrNotFound},
		{errOf(after.FindID(18)), ErrNotFound},
		{errOf(after.FindID(0)), ErrNotFound},
		{errOf(after.At(3)), ErrNotFound},
		{errOf(after.At(-1)), ErrNotFound},
		{errOf(LoadDefinitions(nil)), ErrInvalidDefinitions},
		{errOf(LoadDefinitions([]byte("apiVersion"))), ErrInvalidDefinitions},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}

func TestDamagedDefinitions(t *testing.T) {
	bytes, err := os.ReadFile("testdata/definitions/after.ckc")
	if err != nil {
		t.Fatal(err)
	}
	for i := range bytes {
		for _, flip := range []byte{1, 0x80, 0xff} {
			damaged := slices.Clone(bytes)
			damaged[i] ^= flip
			if _, err := LoadDefinitions(damaged); !errors.Is(err, ErrInvalidDefinitions) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
		if _, err := LoadDefinitions(bytes[:i]); !errors.Is(err, ErrInvalidDefinitions) {
			t.Fatalf("%d bytes: %v", i, err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestDecisions(t *testing.T) {
	definitions := loadTest(t, "after.ckc")
	endpoint := &Endpoint{Groups: []string{"servers-eu"}}
	issue := IssueQuestion{Domain: "Security", References: []Reference{{Groups: []string{"prod-ap"}, Endpoint: endpoint}, {Unknown: true}}}
	for _, test := range []struct {
		key      string
		question Question
		answer   Answer
		// A name that occurs in the text of the decision.
		names string
	}{
		{"export", ComponentQuestion{"Public API", PermissionEdit}, AnswerAllowed, "Public API"},
		{"lab/lab", ComponentQuestion{"Public API", PermissionView}, AnswerUnknown, "Public API"},
		{"export", ActionQuestion{"Isolate"}, AnswerAllowed, "Isolate"},
		{"export", AssetQuestion{[]string{"prod-us"}}, AnswerAllowed, "prod-us"},
		{"export", FindingQuestion{[]string{"prod-ap", "x"}}, AnswerRefused, "prod-ap"},
		{"export", FindingQuestion{}, AnswerRefused, ""},
		{"lab/lab", AssetQuestion{}, AnswerAllowed, ""},
		{"old/lab", AssetQuestion{}, AnswerUnknown, ""},
		{"export", issue, AnswerAllowed, "servers-eu"},
		{"export", IssueQuestion{Domain: "Security", References: []Reference{{Deleted: true}}}, AnswerRefused, ""},
		{"export", CaseQuestion{"Security", []IssueQuestion{issue, {Domain: "IT"}}}, AnswerAllowed, "servers-eu"},
		{"export", CaseQuestion{"Café", nil}, AnswerRefused, "Café"},
		{"export", EndpointQuestion(*endpoint), AnswerAllowed, "servers-eu"},
		{"export", ManageEndpointQuestion{Tags: []string{"t"}}, AnswerRefused, ""},
		{"export", DatasetRowQuestion{"xdr_data", map[string]string{"_vendor": "acme"}}, AnswerAllowed, "acme"},
		{"export", DatasetRowQuestion{"xdr_data", map[string]string{"_vendor": "b"}}, AnswerRefused, "xdr_data"},
		{"export", DatasetRowQuestion{"xdr_data", nil}, AnswerUnknown, "xdr_data"},
	} {
		at, err := definitions.Find(test.key)
		if err != nil {
			t.Fatal(err)
		}
		decision, err := definitions.Decide(at, test.question)
		if err != nil || decision.Answer != test.answer || !strings.Contains(decision.Why, test.names) || decision.Why == "" {
			t.Errorf("%s %+v: %+v %v", test.key, test.question, decision, err)
		}
		if decision.Allowed() != (test.answer == AnswerAllowed) || decision.ScopesOff != (test.key == "lab/lab" && test.answer == AnswerAllowed) {
			t.Errorf("%s %+v: %+v", test.key, test.question, decision)
		}
	}
	for _, question := range []Question{
		ActionQuestion{"a\x00b"}, AssetQuestion{[]string{"\xff"}}, ComponentQuestion{"x", 3}, ComponentQuestion{Name: "x"},
		FindingQuestion{make([]string, 5000)}, CaseQuestion{"x", []IssueQuestion{{Domain: "\x00"}}},
		ActionQuestion{strings.Repeat("x", 4097)}, EndpointQuestion{Tags: []string{"\x00"}},
		IssueQuestion{"x", []Reference{{Endpoint: &Endpoint{Tags: []string{"\xff"}}}}},
		DatasetRowQuestion{"x", map[string]string{"a": "\xff"}},
	} {
		if _, err := definitions.Decide(0, question); !errors.Is(err, ErrInvalidQuestion) {
			t.Errorf("%T: %v", question, err)
		}
	}
	for _, at := range []int{-1, 9} {
		if _, err := definitions.Decide(at, ActionQuestion{"x"}); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
	decision, err := definitions.Decide(0, ActionQuestion{"a\nb\tc"})
	if err != nil || strings.ContainsAny(decision.Why, "\n\t") {
		t.Errorf("%q %v", decision.Why, err)
	}
	if (Decision{}).Allowed() {
		t.Error("the zero decision allows")
	}
}

func BenchmarkDecide(b *testing.B) {
	definitions := loadTest(b, "after.ckc")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = definitions.Decide(0, AssetQuestion{[]string{"prod-us"}})
	}
}

// A decision allocates only what it returns, and no buffer for the longest possible text.
func TestADecisionAllocatesLittle(t *testing.T) {
	definitions := loadTest(t, "after.ckc")
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			_, _ = definitions.Decide(0, AssetQuestion{[]string{"prod-us"}})
		}
	})
	if bytes := result.AllocedBytesPerOp(); !instrumented && bytes > 2048 {
		t.Errorf("%d bytes", bytes)
	}
}
