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

func (e *evaluation) step(asked, reason string, answer backend.Answer) backend.Answer {
	e.steps = append(e.steps, step{asked, reason})
	return answer
}

// change notes what would have to change for a refusal to become an answer of yes.
func (e *evaluation) change(change string) {
	if !slices.Contains(e.changes, change) {
		e.changes = append(e.changes, change)
	}
}

// why is one line: control characters of names become spaces.
func (e *evaluation) why(answer, ifEnforced backend.Answer, scopesOff bool) string {
	var line strings.Builder
	line.WriteString(answers[answer])
	if scopesOff {
		line.WriteString(": scopes are off in this tenant; with scopes on, " + answers[ifEnforced])
	}
	for at, step := range e.steps {
		line.WriteString(separator(at, ": ", "; ") + step.asked + ": " + step.reason)
	}
	for at, change := range e.changes {
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

func letsAllIn(area string) string { return "all " + area + " are in scope" }

func letsNothingIn(area string) string { return "no " + area + " are in scope" }

func joined(names []string) string { return strings.Join(names, ", ") }
