package cortexkey

// What may be asked of definitions, and the answers.

import "github.com/cortexkey/cortexkey/go/internal/backend"

// Question is one of the types below whose names end with Question.
type Question interface{ ask() *backend.Question }

// Permission is a level of a component.
type Permission uint32

// The levels.
const (
	// PermissionNone: the component is hidden. No question asks for it.
	PermissionNone Permission = 0
	// PermissionView: looking at the component.
	PermissionView Permission = 1
	// PermissionEdit: changing it, which the console calls View/Edit.
	PermissionEdit Permission = 2
)

// ComponentQuestion asks whether the key holds a component at a level.
type ComponentQuestion struct {
	// Name is the component's name in the console, such as "Public API".
	Name string
	// Permission is [PermissionView] or [PermissionEdit].
	Permission Permission
}

// ActionQuestion asks whether the key holds a named action, such as "Isolate".
type ActionQuestion struct{ Name string }

// AssetQuestion asks whether the key may see an asset in these asset groups.
type AssetQuestion struct{ Groups []string }

// FindingQuestion asks whether the key may see a finding of an asset in these asset groups.
type FindingQuestion struct{ Groups []string }

// IssueQuestion asks whether the key may see an issue.
type IssueQuestion struct {
	Domain     string
	References []Reference
}

// CaseQuestion asks whether the key may see a case.
type CaseQuestion struct {
	Domain string
	Issues []IssueQuestion
}

// EndpointQuestion asks whether the key may see an endpoint.
type EndpointQuestion Endpoint

// ManageEndpointQuestion asks whether the key may manage an endpoint and its policies, as far as its
// scope goes.
type ManageEndpointQuestion Endpoint

// DatasetRowQuestion asks whether the key may see a row of a dataset.
type DatasetRowQuestion struct {
	Dataset string
	// Row has the row's fields and values, as far as filters look at them.
	Row map[string]string
}

// Endpoint is an endpoint, as far as scopes look at it.
type Endpoint struct{ Groups, Tags []string }

// Reference is what an issue references: an asset, where Deleted and Unknown are not set.
type Reference struct {
	// Groups are the asset groups that an asset is in.
	Groups []string
	// Endpoint is the endpoint of an asset with an agent; else nil.
	Endpoint *Endpoint
	// Deleted is an asset that was deleted. An issue that references nothing else needs the scope's switch
	// for unreferenced issues, as one of an unknown asset does.
	Deleted bool
	// Unknown is something that no inventory knows.
	Unknown bool
}

// Answer is what a question is answered with. The zero Answer is unknown.
type Answer int

// The answers.
const (
	// AnswerUnknown: the answer depends on something that nobody listed. Grant nothing on it.
	AnswerUnknown Answer = iota
	// AnswerRefused: the key may not.
	AnswerRefused
	// AnswerAllowed: the key may.
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

// Decision is an answer and how it came about.
type Decision struct {
	// Answer is the answer.
	Answer Answer
	// IfEnforced is what the answer would be if the tenant enforced scopes.
	IfEnforced Answer
	// ScopesOff is set where the tenant does not enforce scopes.
	ScopesOff bool
	// Why is one line on how the answer came about and what would change it.
	Why string
}

// Allowed reports whether the key may.
func (d Decision) Allowed() bool { return d.Answer == AnswerAllowed }

func (q ComponentQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.Component, Name: q.Name, Permission: uint32(q.Permission)}
}

func (q ActionQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.Action, Name: q.Name}
}

func (q AssetQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.Asset, Groups: q.Groups}
}

func (q FindingQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.Finding, Groups: q.Groups}
}

func (q IssueQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.IssueKind, Name: q.Domain, References: references(q.References)}
}

func (q CaseQuestion) ask() *backend.Question {
	asked := &backend.Question{Kind: backend.Case, Name: q.Domain}
	for _, issue := range q.Issues {
		asked.Issues = append(asked.Issues, backend.Issue{Domain: issue.Domain, References: references(issue.References)})
	}
	return asked
}

func (q EndpointQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.EndpointKind, Groups: q.Groups, Tags: q.Tags}
}

func (q ManageEndpointQuestion) ask() *backend.Question {
	return &backend.Question{Kind: backend.ManageEndpoint, Groups: q.Groups, Tags: q.Tags}
}

func (q DatasetRowQuestion) ask() *backend.Question {
	asked := &backend.Question{Kind: backend.DatasetRow, Name: q.Dataset}
	for name, value := range q.Row {
		asked.Fields = append(asked.Fields, [2]string{name, value})
	}
	return asked
}

func references(list []Reference) []backend.Reference {
	var references []backend.Reference
	for _, r := range list {
		switch {
		case r.Deleted:
			references = append(references, backend.Reference{Kind: backend.DeletedReference})
		case r.Unknown:
			references = append(references, backend.Reference{Kind: backend.UnknownReference})
		default:
			references = append(references, backend.Reference{
				Kind: backend.AssetReference, Groups: r.Groups, Endpoint: (*backend.Endpoint)(r.Endpoint),
			})
		}
	}
	return references
}
