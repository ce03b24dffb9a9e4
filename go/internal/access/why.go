package access

// The line on a decision, for people.

import (
	"slices"
	"strings"
	"unicode"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// step is one area or component that was asked, and what it said.
type step struct{ asked, reason string }

func (j *judge) step(asked, reason string, answer backend.Answer) backend.Answer {
	j.steps = append(j.steps, step{asked, reason})
	return answer
}

// change notes what would have to change for a refusal to become an answer of yes.
func (j *judge) change(change string) {
	if !slices.Contains(j.changes, change) {
		j.changes = append(j.changes, change)
	}
}

// why is one line: control characters of names become spaces.
func (j *judge) why(answer, ifEnforced backend.Answer, scopesOff bool) string {
	var line strings.Builder
	line.WriteString(answers[answer])
	if scopesOff {
		line.WriteString(": scopes are off in this tenant; with scopes on " + answers[ifEnforced])
	}
	for at, step := range j.steps {
		line.WriteString(separator(at, ": ", "; ") + step.asked + ": " + step.reason)
	}
	for at, change := range j.changes {
		line.WriteString(separator(at, "; it would be allowed with: ", ", ") + change)
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, line.String())
}

var answers = map[backend.Answer]string{
	backend.Allowed: "allowed", backend.Refused: "refused", backend.Unknown: "unknown",
}

func separator(at int, first, others string) string {
	if at == 0 {
		return first
	}
	return others
}

func letsAllIn(area string) string { return "all " + area + " let it in" }

func letsNothingIn(area string) string { return "no " + area + " are in scope" }

func joined(names []string) string { return strings.Join(names, ", ") }
