package cortexkey

// A transport that signs. It refuses to send headers to a host that it was not given, and over
// plain HTTP but to this machine.

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Transport signs every request that it sends. Any number of goroutines may use it at once.
type Transport struct {
	signer *Signer
	base   http.RoundTripper
	hosts  map[string]bool
}

// NewTransport returns a transport that signs requests to hosts, which are names or addresses, with
// a port where it is not that of the scheme: api-acme.xdr.us.paloaltonetworks.com. A nil base is
// [http.DefaultTransport].
//
// Put what retries on top of it, so that each attempt is signed anew. A request to another host is
// an error, so a client with this transport follows no redirect elsewhere.
func NewTransport(signer *Signer, base http.RoundTripper, hosts ...string) (*Transport, error) {
	if signer == nil {
		return nil, fmt.Errorf("%w: NewTransport(nil, …)", ErrInvalidOption)
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("%w: NewTransport without a host to sign for", ErrInvalidOption)
	}
	if base == nil {
		base = http.DefaultTransport
	}
	t := &Transport{signer: signer, base: base, hosts: map[string]bool{}}
	for _, host := range hosts {
		parsed, err := url.Parse("https://" + host)
		if err != nil || parsed.Host != host || parsed.Hostname() == "" {
			return nil, fmt.Errorf("%w: NewTransport: %q is no host; give one such as api-acme.xdr.us.paloaltonetworks.com",
				ErrInvalidOption, host)
		}
		t.hosts[canonical(parsed)] = true
	}
	return t, nil
}

// RoundTrip signs a copy of the request and sends it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	signed, err := t.sign(req)
	if err != nil {
		if req != nil && req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	return t.base.RoundTrip(signed)
}

// CloseIdleConnections closes those of the base.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (t *Transport) sign(req *http.Request) (*http.Request, error) {
	if req == nil || req.URL == nil {
		return nil, fmt.Errorf("%w: RoundTrip without a URL", ErrNilRequest)
	}
	if !t.hosts[canonical(req.URL)] {
		return nil, fmt.Errorf("%w: %s; this transport signs for those that NewTransport was given", ErrHostNotAllowed, req.URL.Host)
	}
	if req.URL.Scheme != "https" && !isLoopback(req.URL.Hostname()) {
		return nil, fmt.Errorf("%w: %s://%s; use https", ErrPlainHTTP, req.URL.Scheme, req.URL.Host)
	}
	signed := new(http.Request)
	*signed = *req
	signed.Header = req.Header.Clone()
	if err := t.signer.SignRequest(signed); err != nil {
		return nil, err
	}
	return signed, nil
}

// canonical is a host in lower case, with its port where it is not that of the scheme.
func canonical(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return host
	}
	return net.JoinHostPort(host, port)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
