package access

// The explanation of a decision, for people.

import (
	"slices"
	"strings"
	"unicode"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// step is one area of the scope, or the roles, and the reason for its answer.
type step struct{ subject, reason string }

func (e *evaluation) step(subject, reason string, answer backend.Answer) backend.Answer {
	e.steps = append(e.steps, step{subject, reason})
	return answer
}

// change records a change that helps to turn a refusal into an allowed answer.
func (e *evaluation) change(change string) {
	if !slices.Contains(e.changes, change) {
		e.changes = append(e.changes, change)
	}
}

// why returns the explanation in one line: control characters of names become spaces.
func (e *evaluation) why(answer, ifEnforced backend.Answer, scopesOff bool) string {
	var line strings.Builder
	line.WriteString(answers[answer])
	if scopesOff {
		line.WriteString(": scopes are off in this tenant; with scopes on, " + answers[ifEnforced])
	}
	for at, step := range e.steps {
		line.WriteString(separator(at, ": ", "; ") + step.subject + ": " + step.reason)
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

func allInScope(area string) string { return "all " + area + " are in scope" }

func noneInScope(area string) string { return "no " + area + " are in scope" }

func joined(names []string) string { return strings.Join(names, ", ") }
