package access

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// filterFields are the fields that filters of dataset scopes support.
var filterFields = []string{
	"_broker_device_id", "_broker_device_ip", "_broker_device_name", "_collector_id", "_collector_ip",
	"_collector_name", "_collector_type", "_device_id", "_final_reporting_device_ip",
	"_final_reporting_device_name", "_log_type", "_product", "_scope", "_reporting_device_ip",
	"_reporting_device_name", "_vendor",
}

// filterOperators are the operators of filters. Longer operators come before those that they start with.
var filterOperators = []string{">=", "<=", "!=", "=", ">", "<", "array_contains", "contains", "starts_with", "in"}

// rowMatches reports whether a row matches a filter. The answer is unknown for a filter that cannot be parsed, and for
// a field that the row lacks.
func rowMatches(filter string, row [][2]string) backend.Answer {
	field, operator, value, ok := parseFilter(filter)
	if !ok {
		return backend.Unknown
	}
	at := slices.IndexFunc(row, func(f [2]string) bool { return f[0] == field })
	if at < 0 {
		return backend.Unknown
	}
	seen := row[at][1]
	if operator == "in" {
		return answer(slices.ContainsFunc(members(value), func(m string) bool { return literal(m) == seen }))
	}
	wanted := literal(value)
	switch operator {
	case "=":
		return answer(seen == wanted)
	case "!=":
		return answer(seen != wanted)
	case "contains":
		return answer(strings.Contains(seen, wanted))
	case "starts_with":
		return answer(strings.HasPrefix(seen, wanted))
	case "array_contains":
		// A row's values are strings here, so arrays cannot be compared.
		return backend.Unknown
	}
	return inOrder(operator, seen, wanted)
}

// inOrder compares numbers; the order of other values is unknown.
func inOrder(operator, seen, wanted string) backend.Answer {
	a, errA := strconv.ParseInt(seen, 10, 64)
	b, errB := strconv.ParseInt(wanted, 10, 64)
	if errA != nil || errB != nil {
		return backend.Unknown
	}
	switch operator {
	case ">":
		return answer(a > b)
	case "<":
		return answer(a < b)
	case ">=":
		return answer(a >= b)
	}
	return answer(a <= b)
}

// parseFilter parses one comparison: field, operator, value.
func parseFilter(text string) (field, operator, value string, ok bool) {
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(c rune) bool { return !isFieldRune(c) })
	if end < 0 {
		end = len(text)
	}
	field, rest := text[:end], strings.TrimLeftFunc(text[end:], unicode.IsSpace)
	if !slices.Contains(filterFields, field) {
		return "", "", "", false
	}
	for _, operator := range filterOperators {
		after, found := strings.CutPrefix(rest, operator)
		isWord := isFieldRune(rune(operator[0]))
		if !found || isWord && strings.IndexFunc(after, isFieldRune) == 0 {
			continue
		}
		value := strings.TrimSpace(after)
		if operator == "in" {
			return field, operator, value, isList(value)
		}
		return field, operator, value, isLiteral(value)
	}
	return "", "", "", false
}

func isFieldRune(c rune) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isLiteral reports whether text is a word or a string in double quotes.
func isLiteral(text string) bool {
	if inner, quoted := strings.CutPrefix(text, `"`); quoted {
		inner, closed := strings.CutSuffix(inner, `"`)
		return closed && !strings.ContainsAny(inner, `"\`)
	}
	isWord := func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsNumber(c) || unicode.Is(unicode.Other_Alphabetic, c) ||
			strings.ContainsRune("_-.:/", c)
	}
	return text != "" && strings.IndexFunc(text, func(c rune) bool { return !isWord(c) }) < 0
}

// literal returns the value of a literal, without quotes.
func literal(text string) string {
	if strings.HasPrefix(text, `"`) && len(text) > 1 {
		return text[1 : len(text)-1]
	}
	return text
}

// isList reports whether text is a list of literals in brackets. Commas within quotes are not supported.
func isList(text string) bool {
	if !strings.HasPrefix(text, "(") || !strings.HasSuffix(text, ")") || len(text) < 2 {
		return false
	}
	return !slices.ContainsFunc(members(text), func(member string) bool { return !isLiteral(member) })
}

func members(list string) []string {
	members := strings.Split(list[1:len(list)-1], ",")
	for i, member := range members {
		members[i] = strings.TrimSpace(member)
	}
	return members
}
