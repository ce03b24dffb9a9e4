package cortexkey

// A transport that signs every attempt. It sends headers only to the given hosts, and over plain
// HTTP only to this machine.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
)

// Transport signs every request that it sends. Any number of goroutines may use it at once.
// Requests to hosts that it was not given fail with [ErrHostNotAllowed], and plain HTTP to another
// machine with [ErrPlainHTTP].
//
// A response's Request is the caller's request, without the authentication headers.
type Transport struct {
	source SignerSource
	base   http.RoundTripper
	// The base, if it is net/http's own transport; otherwise nil.
	direct *http.Transport
	hosts  map[hostPort]bool
}

// NewTransport returns a transport that signs requests to the given hosts: names or addresses, with a port if it
// is not the scheme's default, such as api-acme.xdr.us.paloaltonetworks.com. The source is a [*Signer], or
// returns one for each attempt, such as [NewFileSource]. A nil base is [http.DefaultTransport].
//
// A request to another host is an error, so a client with this transport follows no redirect to another host.
//
// Every attempt that reaches a server has its own signature, including those that net/http repeats after a
// kept-alive connection breaks. Put retries, tracing and other transports above this one, and an
// [*http.Transport] below it. With another base, a request that net/http wants to repeat is signed and sent again
// up to three times, and then fails with [ErrRepeated]. With such a base, requests without a body are sent with
// an empty one, which is an empty frame in HTTP/2. A base that repeats a request itself repeats its signature.
func NewTransport(source SignerSource, base http.RoundTripper, hosts ...string) (*Transport, error) {
	if isNil(source) {
		return nil, fmt.Errorf("%w: NewTransport(nil, …); give a *Signer or another SignerSource", ErrNil)
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("%w: NewTransport without a host to sign for", ErrInvalidOption)
	}
	if isNil(base) {
		base = http.DefaultTransport
	}
	t := &Transport{source: source, base: base, hosts: map[hostPort]bool{}}
	t.direct, _ = base.(*http.Transport)
	for _, host := range hosts {
		allowed, err := parseHost(host)
		if err != nil {
			return nil, err
		}
		for _, one := range allowed {
			t.hosts[one] = true
		}
	}
	return t, nil
}

// RoundTrip signs a copy of the request and sends it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.check(req); err != nil {
		if req != nil && req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	send := t.sendWrapped
	if t.direct != nil {
		send = t.sendDirect
	}
	response, err := send(req)
	if response != nil {
		// The copy's headers can be sent again, so they are not returned.
		response.Request = req
	}
	return response, err
}

// CloseIdleConnections closes the base's idle connections.
func (t *Transport) CloseIdleConnections() {
	if t == nil {
		return
	}
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (t *Transport) check(req *http.Request) error {
	switch {
	case t == nil || t.base == nil:
		return fmt.Errorf("%w: Transport; NewTransport returns one", ErrNil)
	case req == nil || req.URL == nil:
		return fmt.Errorf("%w: RoundTrip without a URL", ErrNilRequest)
	case req.URL.Scheme != "https" && !isLoopback(req.URL.Hostname()):
		return fmt.Errorf("%w: %s://%s; use https", ErrPlainHTTP, req.URL.Scheme, req.URL.Host)
	case !t.hosts[hostOf(req.URL)]:
		return fmt.Errorf("%w: %s; this transport signs only for the hosts that NewTransport was given", ErrHostNotAllowed, req.URL.Host)
	}
	return nil
}

// sendDirect sends with net/http's transport, which calls GotConn for each attempt before it writes
// to the connection. From the second attempt on, the headers are signed again at that moment.
// Nothing else reads them then, because net/http waits for the previous attempt to end.
func (t *Transport) sendDirect(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	attempts := 0
	var signed *http.Request
	var failed error
	signed = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			attempts++
			if attempts == 1 {
				return
			}
			if failed = t.sign(ctx, signed); failed != nil {
				// Without a new signature, the attempt is sent unsigned rather than with the previous one.
				removeAll(signed.Header)
			}
		},
	}))
	signed.Header = cloned(req.Header)
	if err := t.sign(ctx, signed); err != nil {
		closeBody(req)
		return nil, err
	}
	response, err := t.direct.RoundTrip(signed)
	if failed == nil {
		return response, err
	}
	if response != nil {
		_ = response.Body.Close()
	}
	return nil, failed
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// attemptsMax is how often a request is signed and sent for one call.
const attemptsMax = 3

// errRewind stops net/http from repeating a request by itself: it is the answer when net/http asks
// for the body again.
var errRewind = errors.New("cortexkey: a repeated request needs a new signature")

// sendWrapped sends with another transport, below which net/http may repeat a request. Before
// net/http does so, it asks for the body again and gets an error; the request is then signed and
// sent again from here. A request without a body gets an empty one, so that net/http has to ask for
// it too.
func (t *Transport) sendWrapped(req *http.Request) (*http.Response, error) {
	hasBody := req.Body != nil && req.Body != http.NoBody
	for attempt := 1; ; attempt++ {
		signed := req.WithContext(req.Context())
		signed.Header = cloned(req.Header)
		if attempt > 1 && hasBody {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			signed.Body = body
		}
		if !hasBody && isRepeatable(req) {
			signed.Body = emptyBody{}
		}
		if hasBody && req.GetBody != nil || !hasBody && signed.Body != nil && signed.Body != http.NoBody {
			signed.GetBody = func() (io.ReadCloser, error) { return nil, errRewind }
		}
		if err := t.sign(req.Context(), signed); err != nil {
			closeBody(signed)
			return nil, err
		}
		response, err := t.base.RoundTrip(signed)
		if !errors.Is(err, errRewind) {
			return response, err
		}
		if attempt == attemptsMax {
			return nil, fmt.Errorf("%w: after %d attempts", ErrRepeated, attempt)
		}
	}
}

// isRepeatable reports whether net/http may repeat the request although a server may have read it.
func isRepeatable(req *http.Request) bool {
	if slices.Contains([]string{"", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, req.Method) {
		return true
	}
	_, hasKey := req.Header["Idempotency-Key"]
	_, hasXKey := req.Header["X-Idempotency-Key"]
	return hasKey || hasXKey
}

// emptyBody is an empty body other than http.NoBody, so that net/http calls GetBody before a repeat.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

// sign signs with a signer from the source. If that signer was closed meanwhile, because its key
// was replaced, it asks the source again.
func (t *Transport) sign(ctx context.Context, req *http.Request) error {
	for attempt := 1; ; attempt++ {
		signer, err := t.source.Signer(ctx)
		if err != nil {
			return err
		}
		if signer == nil {
			return fmt.Errorf("%w: the SignerSource returned no signer", ErrNil)
		}
		err = signer.SignRequest(req)
		if !errors.Is(err, ErrClosed) || attempt == attemptsMax {
			return err
		}
	}
}

func cloned(header http.Header) http.Header {
	if header == nil {
		return http.Header{}
	}
	return header.Clone()
}
