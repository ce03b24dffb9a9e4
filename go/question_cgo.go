//go:build cortexkey_cgo

package cortexkey

// What may be asked of definitions, and what comes of it.

import (
	"strings"

	"github.com/cortexkey/cortexkey/go/internal/capi"
)

// Question is one of the types below whose name ends with Question.
type Question interface{ ask() *asked }

type asked capi.Question

// Permission is a level of a component: nothing, looking, or changing.
type Permission uint32

// The levels.
const (
	PermissionNone Permission = 0
	PermissionView Permission = 1
	PermissionEdit Permission = 2
)

// ComponentQuestion: does the key hold a component at a level?
type ComponentQuestion struct {
	Name       string
	Permission Permission
}

// ActionQuestion: does the key hold a named action?
type ActionQuestion struct{ Name string }

// AssetQuestion: may the key see an asset in these asset groups?
type AssetQuestion struct{ Groups []string }

// FindingQuestion: may the key see a finding of an asset in these asset groups?
type FindingQuestion struct{ Groups []string }

// IssueQuestion: may the key see an issue?
type IssueQuestion struct {
	Domain     string
	References []Reference
}

// CaseQuestion: may the key see a case?
type CaseQuestion struct {
	Domain string
	Issues []IssueQuestion
}

// EndpointQuestion: may the key see an endpoint?
type EndpointQuestion Endpoint

// ManageEndpointQuestion: may the key manage an endpoint and its policies, as far as its scope goes?
type ManageEndpointQuestion Endpoint

// DatasetRowQuestion: may the key see a row of a dataset?
type DatasetRowQuestion struct {
	Dataset string
	Row     map[string]string
}

// Endpoint is an endpoint, as far as scopes look at it.
type Endpoint struct{ Groups, Tags []string }

// Reference is what an issue references: an asset, where Deleted and Unknown are not set.
type Reference struct {
	// Groups are the asset groups that an asset is in.
	Groups []string
	// Endpoint is that of an asset with an agent; else nil.
	Endpoint *Endpoint
	// Deleted is an asset that was deleted.
	Deleted bool
	// Unknown is something that no inventory knows.
	Unknown bool
}

// Answer is what a question is answered with. The zero Answer is unknown.
type Answer int

// The answers.
const (
	// AnswerUnknown: it hangs on something that nobody listed. Grant nothing on it.
	AnswerUnknown Answer = iota
	AnswerRefused
	AnswerAllowed
)

// String returns "unknown", "refused" or "allowed".
func (a Answer) String() string {
	switch a {
	case AnswerAllowed:
		return "allowed"
	case AnswerRefused:
		return "refused"
	}
	return "unknown"
}

// Decision is an answer with how it came about.
type Decision struct {
	// Answer is the answer.
	Answer Answer
	// IfEnforced is what it would be if the tenant enforced scopes.
	IfEnforced Answer
	// ScopesOff says that the tenant does not enforce scopes.
	ScopesOff bool
	// Why is one line on how the answer came about, and what would change it.
	Why string
}

// Allowed says whether the key may.
func (d Decision) Allowed() bool { return d.Answer == AnswerAllowed }

func (q ComponentQuestion) ask() *asked {
	return &asked{Kind: 1, Name: q.Name, Permission: uint32(q.Permission)}
}
func (q ActionQuestion) ask() *asked  { return &asked{Kind: 2, Name: q.Name} }
func (q AssetQuestion) ask() *asked   { return &asked{Kind: 3, Groups: q.Groups} }
func (q FindingQuestion) ask() *asked { return &asked{Kind: 4, Groups: q.Groups} }
func (q IssueQuestion) ask() *asked {
	return &asked{Kind: 5, Name: q.Domain, References: references(q.References)}
}
func (q CaseQuestion) ask() *asked {
	asked := &asked{Kind: 6, Name: q.Domain}
	for _, issue := range q.Issues {
		asked.Issues = append(asked.Issues, capi.Issue{Domain: issue.Domain, References: references(issue.References)})
	}
	return asked
}
func (q EndpointQuestion) ask() *asked       { return &asked{Kind: 7, Groups: q.Groups, Tags: q.Tags} }
func (q ManageEndpointQuestion) ask() *asked { return &asked{Kind: 8, Groups: q.Groups, Tags: q.Tags} }
func (q DatasetRowQuestion) ask() *asked {
	asked := &asked{Kind: 9, Name: q.Dataset}
	for name, value := range q.Row {
		asked.Fields = append(asked.Fields, [2]string{name, value})
	}
	return asked
}

func references(list []Reference) []capi.Reference {
	var references []capi.Reference
	for _, r := range list {
		switch {
		case r.Deleted:
			references = append(references, capi.Reference{Kind: 2})
		case r.Unknown:
			references = append(references, capi.Reference{Kind: 3})
		default:
			references = append(references, capi.Reference{Kind: 1, Groups: r.Groups, Endpoint: (*capi.Endpoint)(r.Endpoint)})
		}
	}
	return references
}

// withNUL returns a text that holds NUL, where one does: C would take what stands before it.
func (q *asked) withNUL() (string, bool) {
	texts := append([]string{q.Name}, q.Groups...)
	texts = append(texts, q.Tags...)
	of := func(references []capi.Reference) {
		for _, r := range references {
			texts = append(texts, r.Groups...)
			if r.Endpoint != nil {
				texts = append(append(texts, r.Endpoint.Groups...), r.Endpoint.Tags...)
			}
		}
	}
	of(q.References)
	for _, issue := range q.Issues {
		texts = append(texts, issue.Domain)
		of(issue.References)
	}
	for _, field := range q.Fields {
		texts = append(texts, field[:]...)
	}
	for _, text := range texts {
		if strings.Contains(text, "\x00") {
			return text, true
		}
	}
	return "", false
}
