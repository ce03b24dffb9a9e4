package cortexkey

// The hosts that a transport signs for.

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// hostPort is a normalised host and the port of the connection.
type hostPort struct {
	host string
	port uint16
}

// parseHost parses a name or address, with or without a port, and returns the host with each port that
// requests to it may use: the port of https and, for this machine, also that of http. A host that is not
// valid in a request is an error.
func parseHost(text string) ([]hostPort, error) {
	refuse := func(why string) ([]hostPort, error) {
		return nil, fmt.Errorf("%w: NewTransport: %q %s; give a host such as api-acme.xdr.us.paloaltonetworks.com",
			ErrInvalidOption, text, why)
	}
	parsed, err := url.Parse("https://" + text)
	switch {
	case strings.Contains(text, "://"):
		return refuse("has a scheme")
	case err != nil || parsed.Host != text || parsed.Hostname() == "" || strings.HasSuffix(text, ":"):
		return refuse("is not a host")
	}
	host := spelling(parsed.Hostname())
	if !isHostName(host) {
		return refuse("is neither a name nor an address")
	}
	if parsed.Port() == "" {
		allowed := []hostPort{{host, 443}}
		if isLoopback(host) {
			allowed = append(allowed, hostPort{host, 80})
		}
		return allowed, nil
	}
	port, err := strconv.ParseUint(parsed.Port(), 10, 16)
	switch {
	case err != nil || port == 0:
		return refuse("has an impossible port")
	case port == 80 && !isLoopback(host):
		return refuse("has the port of plain HTTP, which is not supported")
	}
	return []hostPort{{host, uint16(port)}}, nil
}

// hostOf is the host and port of a URL; zero if it has none.
func hostOf(u *url.URL) hostPort {
	host := spelling(u.Hostname())
	port := u.Port()
	switch {
	case port != "":
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return hostPort{}
		}
		return hostPort{host, uint16(number)}
	case u.Scheme == "https":
		return hostPort{host, 443}
	case u.Scheme == "http":
		return hostPort{host, 80}
	}
	return hostPort{}
}

// spelling normalises a host: lower case, no final dot, and the shortest form of an address.
func spelling(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		return address.String()
	}
	return host
}

// isHostName reports whether a host is valid in a request: an address, or labels of ASCII letters, digits,
// hyphens and underscores. An internationalised name has an ASCII form (xn--…).
func isHostName(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(c rune) bool { return !isHostRune(c) }) {
			return false
		}
	}
	return true
}

func isHostRune(c rune) bool {
	return c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
}

func isLoopback(host string) bool {
	host = spelling(host)
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
