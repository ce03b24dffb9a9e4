package access

import (
	"fmt"
	"slices"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Decide answers a question about the key at a place. Where the product's documents leave a point open,
// it takes the narrower reading; docs/access.md lists those.
func (d *Definitions) Decide(at int, q *backend.Question) (backend.Decision, error) {
	if q.Kind == backend.Component && (q.Permission == 0 || q.Permission >= uint32(len(permissions))) {
		// Every key holds every component at none, so the answer would be yes.
		return backend.Decision{}, fmt.Errorf("%w: permission %d", backend.ErrInvalidQuestion, q.Permission)
	}
	if at < 0 || at >= len(d.keys) {
		return backend.Decision{}, fmt.Errorf("%w: place %d", backend.ErrNotFound, at)
	}
	key := &d.keys[at]
	j := judge{key: key, scope: &scope{}}
	switch q.Kind {
	case backend.Component:
		answer := j.component(q.Name, q.Permission)
		return backend.Decision{Answer: answer, IfEnforced: answer, Why: j.why(answer, answer, false)}, nil
	case backend.Action:
		answer := j.action(q.Name)
		return backend.Decision{Answer: answer, IfEnforced: answer, Why: j.why(answer, answer, false)}, nil
	}
	if key.olderScopes {
		return backend.Decision{
			Why: "unknown: the product has an older model of scopes, of which nothing is decided",
		}, nil
	}
	return j.inScope(q), nil
}

// check decides one question and keeps how it came about.
type judge struct {
	key     *key
	scope   *scope
	steps   []step
	changes []string
}

func (j *judge) component(name string, wanted uint32) backend.Answer {
	held := rights(j.key.roles, name)
	reason := fmt.Sprintf("%s is held at %s, and %s was asked for", name, held, permissions[wanted])
	answer := backend.Refused
	switch {
	case held.lowest >= wanted:
		answer = backend.Allowed
	case held.highest >= wanted:
		answer = backend.Unknown
		reason = fmt.Sprintf("nobody listed whether %s is held at %s", name, permissions[wanted])
	}
	if answer != backend.Allowed {
		j.change(fmt.Sprintf("a role that holds %s at %s", name, permissions[wanted]))
	}
	return j.step("roles", reason, answer)
}

var permissions = [...]string{"none", "view", "edit"}

// rights is what is known of the level at which roles hold a component together: the highest of any.
// Without a role it is none.
func rights(roles []role, name string) level {
	held := level{}
	for _, role := range roles {
		held = held.union(role.level(name))
	}
	return held
}

// level is what is known of a role's level of a component.
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

func (j *judge) action(name string) backend.Answer {
	held := backend.Refused
	for _, role := range j.key.roles {
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
		backend.Unknown: "nobody listed whether " + name + " is held",
	}
	if held != backend.Allowed {
		j.change("a role that holds " + name)
	}
	return j.step("roles", reason[held], held)
}

// inScope answers a question of what may be seen.
func (j *judge) inScope(q *backend.Question) backend.Decision {
	if j.key.scope != nil {
		j.scope = j.key.scope
	} else {
		j.step("scope", "the key has no scope", backend.Refused)
	}
	ifEnforced := j.seen(q)
	scopesOff := j.key.sbac == sbacDisabled
	answer := ifEnforced
	if scopesOff {
		answer = backend.Allowed
	}
	return backend.Decision{
		Answer: answer, IfEnforced: ifEnforced, ScopesOff: scopesOff, Why: j.why(answer, ifEnforced, scopesOff),
	}
}

func (j *judge) seen(q *backend.Question) backend.Answer {
	switch q.Kind {
	case backend.Asset, backend.Finding:
		return j.anyAsset([][]string{q.Groups})
	case backend.IssueKind:
		domain := j.domain(q.Name)
		return and(domain, j.issues([]backend.Issue{{Domain: q.Name, References: q.References}}))
	case backend.Case:
		domain := j.domain(q.Name)
		return and(domain, j.issues(q.Issues))
	case backend.EndpointKind, backend.ManageEndpoint:
		return j.anyEndpoint([]backend.Endpoint{{Groups: q.Groups, Tags: q.Tags}})
	case backend.DatasetRow:
		return j.datasetRow(q.Name, q.Fields)
	}
	return backend.Unknown
}

func (j *judge) domain(domain string) backend.Answer {
	selected := j.scope.casesAndIssues
	var reason string
	answer := backend.Refused
	switch {
	case selected.mode == areaAll:
		reason, answer = letsAllIn("cases and issues"), backend.Allowed
	case selected.mode == areaNone:
		reason = letsNothingIn("cases and issues")
	case slices.Contains(selected.names, domain):
		reason, answer = domain+" is selected", backend.Allowed
	default:
		reason = "domain " + domain + " is not selected"
	}
	if answer == backend.Refused {
		j.change("domain " + domain + " added to the scope")
	}
	return j.step("cases and issues", reason, answer)
}

// issues: every area that the issues ask must hold at least one of what they reference there.
func (j *judge) issues(issues []backend.Issue) backend.Answer {
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
		answer = and(answer, j.anyAsset(assets))
	}
	if len(endpoints) > 0 {
		answer = and(answer, j.anyEndpoint(endpoints))
	}
	if len(assets)+len(endpoints) > 0 {
		return answer
	}
	// A deleted asset is nothing known, either.
	return j.unreferenced()
}

func hasAgent(r backend.Reference) bool { return r.Kind == backend.AssetReference && r.Endpoint != nil }

func (j *judge) unreferenced() backend.Answer {
	isLetIn := j.scope.unreferenced && j.scope.casesAndIssues.mode != areaNone
	reason := "what references nothing known is not let in"
	if isLetIn {
		reason = "what references nothing known is let in"
	}
	if !j.scope.unreferenced {
		j.change("cases and issues that reference nothing known let in")
	}
	return j.step("cases and issues", reason, answer(isLetIn))
}

// anyAsset: one of the assets, each in some groups, must be let in.
func (j *judge) anyAsset(assets [][]string) backend.Answer {
	var reason string
	answer := backend.Refused
	switch j.scope.assets.mode {
	case areaAll:
		reason, answer = letsAllIn("assets"), backend.Allowed
	case areaNone:
		reason = letsNothingIn("assets")
	default:
		reason, answer = selects(j.scope.assets.names, assets)
	}
	if answer == backend.Refused {
		change := "all assets in scope"
		if group, ok := firstName(assets); ok {
			change = "asset group " + group + " added to the scope"
		}
		j.change(change)
	}
	return j.step("assets", reason, answer)
}

// anyEndpoint: one of the endpoints must be let in by both axes. Where none is, the one that asks for the
// least is shown.
func (j *judge) anyEndpoint(endpoints []backend.Endpoint) backend.Answer {
	shown := &endpoints[0]
	least, changes := j.endpointChanges(shown)
	for i := range endpoints[1:] {
		if weight, other := j.endpointChanges(&endpoints[i+1]); weight < least {
			shown, least, changes = &endpoints[i+1], weight, other
		}
	}
	for _, change := range changes {
		j.change(change)
	}
	byGroups := j.endpointGroups(shown.Groups)
	byTags := j.endpointTags(shown.Tags)
	return and(byGroups, byTags)
}

func (j *judge) endpointGroups(groups []string) backend.Answer {
	var reason string
	answer := backend.Refused
	switch j.scope.endpointGroups.mode {
	case axisSeeAll, axisAny:
		reason, answer = letsAllIn("endpoints"), backend.Allowed
	case axisNoScope:
		reason = letsNothingIn("endpoints")
	default:
		reason, answer = selects(j.scope.endpointGroups.names, [][]string{groups})
	}
	return j.step("endpoints", reason, answer)
}

func (j *judge) endpointTags(tags []string) backend.Answer {
	axis := j.scope.endpointTags
	var reason string
	answer := backend.Refused
	switch {
	case axis.mode == axisSeeAll || axis.mode == axisAny:
		// An axis that does not restrict is no step.
		return backend.Allowed
	case axis.mode == axisNoScope:
		reason = letsNothingIn("endpoint tags")
	case j.tagsFit(tags):
		reason, answer = "its tags fit", backend.Allowed
	case len(tags) == 0:
		reason = "it has no tags, and tags are selected"
	default:
		reason = "its tags (" + joined(tags) + ") do not fit the selected ones"
	}
	return j.step("endpoint tags", reason, answer)
}

// endpointChanges returns what would let an endpoint in, nothing where it is, and how much wider that
// makes the scope: all endpoints are more than a group and tags.
func (j *judge) endpointChanges(endpoint *backend.Endpoint) (int, []string) {
	const weightOfAll = 3
	all := []string{"all endpoints in scope"}
	var group, tags []string
	if len(endpoint.Groups) > 0 {
		group = []string{"endpoint group " + endpoint.Groups[0] + " added to the scope"}
	}
	if len(endpoint.Tags) > 0 {
		needed := endpoint.Tags[:1]
		if j.key.restrictive {
			needed = endpoint.Tags
		}
		tags = []string{"endpoint tags " + joined(needed) + " added to the scope"}
	}
	if holdsNothing(j.scope.endpointGroups) && holdsNothing(j.scope.endpointTags) {
		// What is selected first leaves the other axis open.
		switch {
		case group != nil:
			return 1, group
		case tags != nil:
			return 1, tags
		}
		return weightOfAll, all
	}
	needsGroup, needsTags := !j.groupsFit(endpoint.Groups), !j.tagsFit(endpoint.Tags)
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

func (j *judge) groupsFit(groups []string) bool {
	axis := j.scope.endpointGroups
	switch axis.mode {
	case axisSeeAll, axisAny:
		return true
	case axisNoScope:
		return false
	}
	return slices.ContainsFunc(groups, func(group string) bool { return slices.Contains(axis.names, group) })
}

func (j *judge) tagsFit(tags []string) bool {
	axis := j.scope.endpointTags
	isSelected := func(tag string) bool { return slices.Contains(axis.names, tag) }
	switch {
	case axis.mode == axisSeeAll || axis.mode == axisAny:
		return true
	case axis.mode == axisNoScope:
		return false
	case !j.key.restrictive:
		return slices.ContainsFunc(tags, isSelected)
	}
	// Something without tags fits no selection of tags.
	return len(tags) > 0 && !slices.ContainsFunc(tags, func(tag string) bool { return !isSelected(tag) })
}

func (j *judge) datasetRow(dataset string, row [][2]string) backend.Answer {
	if !j.key.datasets {
		return j.step("datasets", "this tenant has no scopes for rows", backend.Allowed)
	}
	reason, result, filtered := "", backend.Allowed, false
	for _, filter := range j.scope.filters {
		if filter[0] != dataset {
			continue
		}
		fits := rowFits(filter[1], row)
		if !filtered || and(result, fits) != result {
			result = and(result, fits)
			reason = map[backend.Answer]string{
				backend.Allowed: "the row fits " + filter[1],
				backend.Refused: "the row does not fit " + filter[1],
				backend.Unknown: "whether the row fits " + filter[1] + " cannot be told",
			}[result]
		}
		filtered = true
	}
	if !filtered {
		isLetIn := j.scope.hasDatasets && j.scope.allRows
		reason, result = "no rows are let in", answer(isLetIn)
		if isLetIn {
			reason = "all rows are let in"
		}
	}
	if result != backend.Allowed {
		j.change("a filter for dataset " + dataset + " that the row fits")
	}
	return j.step("datasets", reason, result)
}

// and: both must allow.
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

func holdsNothing(axis selection) bool {
	return axis.mode == axisNoScope || axis.mode == axisScope && len(axis.names) == 0
}

// selects says what a selection says of things, each in some groups: one in a selected group is enough.
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
			return fmt.Sprintf("none of its groups (%s) is among the %d selected", joined(groups), len(selected)), backend.Refused
		}
	}
	return "it is in nothing that could be selected", backend.Refused
}

func firstName(things [][]string) (string, bool) {
	for _, groups := range things {
		if len(groups) > 0 {
			return groups[0], true
		}
	}
	return "", false
}
