package access

import (
	"testing"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

func TestRowsMatchOrNotOrAreUnknown(t *testing.T) {
	row := [][2]string{{"_vendor", "acme"}, {"_collector_id", "17"}, {"_log_type", "a.b"}}
	for filter, want := range map[string]backend.Answer{
		"_vendor = acme": backend.Allowed, "_vendor=\"acme\"": backend.Allowed, "_vendor != acme": backend.Refused,
		"_vendor in (\"x\", \"acme\")": backend.Allowed, "_vendor in (x)": backend.Refused,
		"_collector_id >= 17": backend.Allowed, "_collector_id < 17": backend.Refused, "_collector_id > 16": backend.Allowed,
		"_collector_id <= 16": backend.Refused, "_vendor > 3": backend.Unknown, "_log_type contains \".b\"": backend.Allowed,
		"_log_type starts_with b": backend.Refused, "_log_type array_contains b": backend.Unknown, "_product = x": backend.Unknown,
		// Invalid filters.
		"": backend.Unknown, "vendor = x": backend.Unknown, "_vendor": backend.Unknown, "_vendor like x": backend.Unknown,
		"_vendor index": backend.Unknown, "_vendor =": backend.Unknown, "_vendor = \"a": backend.Unknown, "_vendor = \"": backend.Unknown,
		"_vendor = a or _vendor = b": backend.Unknown, "_vendor in acme": backend.Unknown, "_vendor in (": backend.Unknown,
	} {
		if got := rowMatches(filter, row); got != want {
			t.Errorf("%q: got %d, want %d", filter, got, want)
		}
	}
}
