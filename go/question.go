package cortexkey

// Questions about compiled definitions, and their answers.

import "github.com/cortexkey/cortexkey/go/internal/backend"

// Question is a question for [Definitions.Decide]: a value of one of the types whose names end in
// Question.
type Question interface{ ask() *backend.Question }

// Permission is a permission level on a component.
type Permission uint32

// The levels.
const (
	// PermissionNone: no access; the component is hidden. Not valid in a question.
	PermissionNone Permission = 0
	// PermissionView: view the component.
	PermissionView Permission = 1
	// PermissionEdit: change the component (the console's View/Edit).
	PermissionEdit Permission = 2
)

// ComponentQuestion asks whether the key has a component at a level or above.
type ComponentQuestion struct {
	// Name is the component's name in the console, such as "Public API".
	Name string
	// Permission is [PermissionView] or [PermissionEdit].
	Permission Permission
}

// ActionQuestion asks whether the key has a named action, such as "Isolate".
type ActionQuestion struct{ Name string }

// AssetQuestion asks whether the key may see an asset in these asset groups.
type AssetQuestion struct{ Groups []string }

// FindingQuestion asks whether the key may see a finding of an asset in these asset groups.
type FindingQuestion struct{ Groups []string }

// IssueQuestion asks whether the key may see an issue.
type IssueQuestion struct {
	// Domain is the issue's domain, such as "Security".
	Domain string
	// References are the objects that the issue references.
	References []Reference
}

// CaseQuestion asks whether the key may see a case.
type CaseQuestion struct {
	// Domain is the case's domain, such as "Security".
	Domain string
	// Issues are the case's issues.
	Issues []IssueQuestion
}

// EndpointQuestion asks whether the key may see an endpoint.
type EndpointQuestion Endpoint

// ManageEndpointQuestion asks whether the key's scope allows managing an endpoint and its policies.
type ManageEndpointQuestion Endpoint

// DatasetRowQuestion asks whether the key may see a row of a dataset.
type DatasetRowQuestion struct {
	Dataset string
	// Row has the row's fields and values that filters use.
	Row map[string]string
}

// Endpoint has the properties of an endpoint that scopes use.
type Endpoint struct{ Groups, Tags []string }

// Reference is an object that an issue references: an asset, unless Deleted or Unknown is set.
type Reference struct {
	// Groups are the asset groups that an asset is in.
	Groups []string
	// Endpoint is the endpoint of an asset with an agent; otherwise nil.
	Endpoint *Endpoint
	// Deleted marks a deleted asset. It counts as an unknown object: an issue that references only such objects
	// is visible only if the scope includes unreferenced issues.
	Deleted bool
	// Unknown marks an object that is in no inventory.
	Unknown bool
}

// Answer is the answer to a question. The zero Answer is unknown.
type Answer int

// The answers.
const (
	// AnswerUnknown: the answer depends on a fact that the definitions do not list. Treat it as a
	// refusal.
	AnswerUnknown Answer = iota
	// AnswerRefused: the key is not allowed to do this.
	AnswerRefused
	// AnswerAllowed: the key is allowed to do this.
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

// Decision is an answer with its explanation.
type Decision struct {
	// Answer is the answer with the tenant's current settings.
	Answer Answer
	// IfEnforced is the answer that applies if the tenant enforces scopes. It differs from Answer only
	// if ScopesOff.
	IfEnforced Answer
	// ScopesOff reports that the tenant does not enforce scopes.
	ScopesOff bool
	// Why is one line that explains the answer and names what would change it.
	Why string
}

// Allowed reports whether the key is allowed to do this.
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
