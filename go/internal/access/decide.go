package access

import (
	"fmt"
	"slices"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Decide answers a question about the key at an index. Where the product's documents are ambiguous, the narrower
// reading applies; docs/access.md lists those cases.
func (d *Definitions) Decide(at int, q *backend.Question) (backend.Decision, error) {
	if q.Kind == backend.Component && (q.Permission == 0 || q.Permission >= uint32(len(permissions))) {
		// Every key has at least no access, so the answer would always be yes.
		return backend.Decision{}, fmt.Errorf("%w: permission %d", backend.ErrInvalidQuestion, q.Permission)
	}
	if at < 0 || at >= len(d.keys) {
		return backend.Decision{}, fmt.Errorf("%w: index %d", backend.ErrNotFound, at)
	}
	key := &d.keys[at]
	e := evaluation{key: key, scope: &scope{}}
	switch q.Kind {
	case backend.Component:
		answer := e.component(q.Name, q.Permission)
		return backend.Decision{Answer: answer, IfEnforced: answer, Why: e.why(answer, answer, false)}, nil
	case backend.Action:
		answer := e.action(q.Name)
		return backend.Decision{Answer: answer, IfEnforced: answer, Why: e.why(answer, answer, false)}, nil
	}
	if key.olderScopes {
		return backend.Decision{
			Why: "unknown: the product has an older model of scopes, which is not evaluated",
		}, nil
	}
	return e.inScope(q), nil
}

// evaluation decides one question and records the steps and changes for the explanation.
type evaluation struct {
	key     *key
	scope   *scope
	steps   []step
	changes []string
}

func (e *evaluation) component(name string, wanted uint32) backend.Answer {
	held := rights(e.key.roles, name)
	reason := fmt.Sprintf("%s is held at %s; %s is required", name, held, permissions[wanted])
	answer := backend.Refused
	switch {
	case held.lowest >= wanted:
		answer = backend.Allowed
	case held.highest >= wanted:
		answer = backend.Unknown
		reason = fmt.Sprintf("no source says whether %s is held at %s", name, permissions[wanted])
	}
	if answer != backend.Allowed {
		e.change(fmt.Sprintf("a role that grants %s at %s", name, permissions[wanted]))
	}
	return e.step("roles", reason, answer)
}

var permissions = [...]string{"none", "view", "edit"}

// rights returns the level at which the roles together hold a component: the highest of any role. Without a role it
// is none.
func rights(roles []role, name string) level {
	held := level{}
	for _, role := range roles {
		held = held.union(role.level(name))
	}
	return held
}

// level returns the bounds of the role's level of a component.
func (r *role) level(name string) level {
	if r.holdsAll {
		return level{2, 2}
	}
	known, isNamed := level{}, false
	for _, grant := range r.grants {
		if grant.component == name {
			known, isNamed = known.union(grant.level), true
		}
	}
	if !isNamed {
		return r.others
	}
	return known
}

func (l level) union(other level) level {
	return level{max(l.lowest, other.lowest), max(l.highest, other.highest)}
}

func (l level) String() string {
	switch {
	case l.lowest == l.highest:
		return permissions[l.lowest]
	case l.highest == 2:
		return permissions[l.lowest] + " or higher"
	}
	return permissions[l.highest] + " at most"
}

func (e *evaluation) action(name string) backend.Answer {
	held := backend.Refused
	for _, role := range e.key.roles {
		if role.holdsAll || slices.Contains(role.held, name) {
			held = backend.Allowed
			break
		}
		if !role.actionsAreKnown && !slices.Contains(role.lacked, name) {
			held = backend.Unknown
		}
	}
	reason := map[backend.Answer]string{
		backend.Allowed: name + " is held",
		backend.Refused: name + " is not held",
		backend.Unknown: "no source says whether " + name + " is held",
	}
	if held != backend.Allowed {
		e.change("a role that grants " + name)
	}
	return e.step("roles", reason[held], held)
}

// inScope answers a question about what the key may see.
func (e *evaluation) inScope(q *backend.Question) backend.Decision {
	if e.key.scope != nil {
		e.scope = e.key.scope
	} else {
		e.step("scope", "the key has no scope", backend.Refused)
	}
	ifEnforced := e.seen(q)
	scopesOff := e.key.sbac == sbacDisabled
	answer := ifEnforced
	if scopesOff {
		answer = backend.Allowed
	}
	return backend.Decision{
		Answer: answer, IfEnforced: ifEnforced, ScopesOff: scopesOff, Why: e.why(answer, ifEnforced, scopesOff),
	}
}

func (e *evaluation) seen(q *backend.Question) backend.Answer {
	switch q.Kind {
	case backend.Asset, backend.Finding:
		return e.anyAsset([][]string{q.Groups})
	case backend.IssueKind:
		domain := e.domain(q.Name)
		return and(domain, e.issues([]backend.Issue{{Domain: q.Name, References: q.References}}))
	case backend.Case:
		domain := e.domain(q.Name)
		return and(domain, e.issues(q.Issues))
	case backend.EndpointKind, backend.ManageEndpoint:
		return e.anyEndpoint([]backend.Endpoint{{Groups: q.Groups, Tags: q.Tags}})
	case backend.DatasetRow:
		return e.datasetRow(q.Name, q.Fields)
	}
	return backend.Unknown
}

func (e *evaluation) domain(domain string) backend.Answer {
	selected := e.scope.casesAndIssues
	var reason string
	answer := backend.Refused
	switch {
	case selected.mode == areaAll:
		reason, answer = allInScope("cases and issues"), backend.Allowed
	case selected.mode == areaNone:
		reason = noneInScope("cases and issues")
	case slices.Contains(selected.names, domain):
		reason, answer = domain+" is selected", backend.Allowed
	default:
		reason = "domain " + domain + " is not selected"
	}
	if answer == backend.Refused {
		e.change("domain " + domain + " added to the scope")
	}
	return e.step("cases and issues", reason, answer)
}

// issues requires, in each area that the issues reference, at least one referenced object in scope.
func (e *evaluation) issues(issues []backend.Issue) backend.Answer {
	var assets [][]string
	var endpoints []backend.Endpoint
	for _, issue := range issues {
		byEndpoints := issue.Domain == "Security" && slices.ContainsFunc(issue.References, hasAgent)
		for _, reference := range issue.References {
			switch {
			case reference.Kind != backend.AssetReference:
			case !byEndpoints:
				assets = append(assets, reference.Groups)
			case reference.Endpoint != nil:
				endpoints = append(endpoints, *reference.Endpoint)
			}
		}
	}
	answer := backend.Allowed
	if len(assets) > 0 {
		answer = and(answer, e.anyAsset(assets))
	}
	if len(endpoints) > 0 {
		answer = and(answer, e.anyEndpoint(endpoints))
	}
	if len(assets)+len(endpoints) > 0 {
		return answer
	}
	// A deleted asset is not a known object.
	return e.unreferenced()
}

func hasAgent(r backend.Reference) bool { return r.Kind == backend.AssetReference && r.Endpoint != nil }

func (e *evaluation) unreferenced() backend.Answer {
	isInScope := e.scope.unreferenced && e.scope.casesAndIssues.mode != areaNone
	reason := "what references no known object is not in scope"
	if isInScope {
		reason = "what references no known object is in scope"
	}
	if !e.scope.unreferenced {
		e.change("cases and issues that reference no known object added to the scope")
	}
	return e.step("cases and issues", reason, answer(isInScope))
}

// anyAsset requires one of the assets, given as their groups, in scope.
func (e *evaluation) anyAsset(assets [][]string) backend.Answer {
	var reason string
	answer := backend.Refused
	switch e.scope.assets.mode {
	case areaAll:
		reason, answer = allInScope("assets"), backend.Allowed
	case areaNone:
		reason = noneInScope("assets")
	default:
		reason, answer = selects(e.scope.assets.names, assets)
	}
	if answer == backend.Refused {
		change := "all assets in scope"
		if group, ok := firstName(assets); ok {
			change = "asset group " + group + " added to the scope"
		}
		e.change(change)
	}
	return e.step("assets", reason, answer)
}

// anyEndpoint requires one endpoint that is in both axes. If there is none, the explanation shows the one that needs
// the smallest change.
func (e *evaluation) anyEndpoint(endpoints []backend.Endpoint) backend.Answer {
	shown := &endpoints[0]
	least, changes := e.endpointChanges(shown)
	for i := range endpoints[1:] {
		if weight, other := e.endpointChanges(&endpoints[i+1]); weight < least {
			shown, least, changes = &endpoints[i+1], weight, other
		}
	}
	for _, change := range changes {
		e.change(change)
	}
	byGroups := e.endpointGroups(shown.Groups)
	byTags := e.endpointTags(shown.Tags)
	return and(byGroups, byTags)
}

func (e *evaluation) endpointGroups(groups []string) backend.Answer {
	var reason string
	answer := backend.Refused
	switch e.scope.endpointGroups.mode {
	case axisSeeAll, axisAny:
		reason, answer = allInScope("endpoints"), backend.Allowed
	case axisNoScope:
		reason = noneInScope("endpoints")
	default:
		reason, answer = selects(e.scope.endpointGroups.names, [][]string{groups})
	}
	return e.step("endpoints", reason, answer)
}

func (e *evaluation) endpointTags(tags []string) backend.Answer {
	axis := e.scope.endpointTags
	var reason string
	answer := backend.Refused
	switch {
	case axis.mode == axisSeeAll || axis.mode == axisAny:
		// An axis that does not restrict needs no step.
		return backend.Allowed
	case axis.mode == axisNoScope:
		reason = noneInScope("endpoint tags")
	case e.tagsMatch(tags):
		reason, answer = "its tags match", backend.Allowed
	case len(tags) == 0:
		reason = "it has no tags, but tags are selected"
	default:
		reason = "its tags (" + joined(tags) + ") do not match the selected ones"
	}
	return e.step("endpoint tags", reason, answer)
}

// endpointChanges returns the changes that would allow an endpoint, none if it is allowed, and how much they widen
// the scope: all endpoints is more than a group and tags.
func (e *evaluation) endpointChanges(endpoint *backend.Endpoint) (int, []string) {
	const weightOfAll = 3
	all := []string{"all endpoints in scope"}
	var group, tags []string
	if len(endpoint.Groups) > 0 {
		group = []string{"endpoint group " + endpoint.Groups[0] + " added to the scope"}
	}
	if len(endpoint.Tags) > 0 {
		needed := endpoint.Tags[:1]
		if e.key.restrictive {
			needed = endpoint.Tags
		}
		tags = []string{"endpoint tags " + joined(needed) + " added to the scope"}
	}
	if selectsNothing(e.scope.endpointGroups) && selectsNothing(e.scope.endpointTags) {
		// Selecting by the first axis leaves the other open.
		switch {
		case group != nil:
			return 1, group
		case tags != nil:
			return 1, tags
		}
		return weightOfAll, all
	}
	needsGroup, needsTags := !e.groupsMatch(endpoint.Groups), !e.tagsMatch(endpoint.Tags)
	if needsGroup && group == nil || needsTags && tags == nil {
		return weightOfAll, all
	}
	var changes []string
	if needsGroup {
		changes = append(changes, group...)
	}
	if needsTags {
		changes = append(changes, tags...)
	}
	return len(changes), changes
}

func (e *evaluation) groupsMatch(groups []string) bool {
	axis := e.scope.endpointGroups
	switch axis.mode {
	case axisSeeAll, axisAny:
		return true
	case axisNoScope:
		return false
	}
	return slices.ContainsFunc(groups, func(group string) bool { return slices.Contains(axis.names, group) })
}

func (e *evaluation) tagsMatch(tags []string) bool {
	axis := e.scope.endpointTags
	isSelected := func(tag string) bool { return slices.Contains(axis.names, tag) }
	switch {
	case axis.mode == axisSeeAll || axis.mode == axisAny:
		return true
	case axis.mode == axisNoScope:
		return false
	case !e.key.restrictive:
		return slices.ContainsFunc(tags, isSelected)
	}
	// An object without tags matches no selection of tags.
	return len(tags) > 0 && !slices.ContainsFunc(tags, func(tag string) bool { return !isSelected(tag) })
}

func (e *evaluation) datasetRow(dataset string, row [][2]string) backend.Answer {
	if !e.key.datasets {
		return e.step("datasets", "this tenant has no scopes for dataset rows", backend.Allowed)
	}
	reason, result, filtered := "", backend.Allowed, false
	for _, filter := range e.scope.filters {
		if filter[0] != dataset {
			continue
		}
		matches := rowMatches(filter[1], row)
		if !filtered || and(result, matches) != result {
			result = and(result, matches)
			reason = map[backend.Answer]string{
				backend.Allowed: "the row matches " + filter[1],
				backend.Refused: "the row does not match " + filter[1],
				backend.Unknown: "it is unknown whether the row matches " + filter[1],
			}[result]
		}
		filtered = true
	}
	if !filtered {
		isInScope := e.scope.hasDatasets && e.scope.allRows
		reason, result = "no rows are in scope", answer(isInScope)
		if isInScope {
			reason = "all rows are in scope"
		}
	}
	if result != backend.Allowed {
		e.change("a filter for dataset " + dataset + " that matches the row")
	}
	return e.step("datasets", reason, result)
}

// and returns Allowed only if both are.
func and(a, b backend.Answer) backend.Answer {
	switch {
	case a == backend.Refused || b == backend.Refused:
		return backend.Refused
	case a == backend.Unknown || b == backend.Unknown:
		return backend.Unknown
	}
	return backend.Allowed
}

func answer(isAllowed bool) backend.Answer {
	if isAllowed {
		return backend.Allowed
	}
	return backend.Refused
}

func selectsNothing(axis selection) bool {
	return axis.mode == axisNoScope || axis.mode == axisScope && len(axis.names) == 0
}

// selects reports whether a selection matches objects, given as their groups: one selected group is enough.
func selects(selected []string, things [][]string) (string, backend.Answer) {
	for _, groups := range things {
		for _, name := range groups {
			if slices.Contains(selected, name) {
				return name + " is selected", backend.Allowed
			}
		}
	}
	for _, groups := range things {
		if len(groups) > 0 {
			plural := "s"
			if len(selected) == 1 {
				plural = ""
			}
			reason := fmt.Sprintf("none of its groups (%s) is selected; the scope selects %d group%s",
				joined(groups), len(selected), plural)
			return reason, backend.Refused
		}
	}
	return "it is in no group that could be selected", backend.Refused
}

func firstName(things [][]string) (string, bool) {
	for _, groups := range things {
		if len(groups) > 0 {
			return groups[0], true
		}
	}
	return "", false
}
