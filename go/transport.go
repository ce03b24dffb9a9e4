package cortexkey

// A transport that signs every attempt. It sends headers to no other host than those it was given, and
// over plain HTTP only to this machine.

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
//
// A response's Request is the caller's request, without the authentication headers.
type Transport struct {
	source SignerSource
	base   http.RoundTripper
	// The base, where it is net/http's own.
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
	send := t.sendBelow
	if t.direct != nil {
		send = t.sendDirect
	}
	response, err := send(req)
	if response != nil {
		// Not the copy, whose headers can sign.
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
		return fmt.Errorf("%w: %s; this transport signs for those that NewTransport was given", ErrHostNotAllowed, req.URL.Host)
	}
	return nil
}

// sendDirect sends by net/http's transport, which announces each attempt before it writes to the
// connection: from the second attempt on the headers are signed again then. Nothing else reads them at
// that time, since net/http waits for the end of the attempt before.
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
				// An attempt that cannot have a signature of its own has none.
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

// errRewind stops net/http where it asks for the body again to repeat a request by itself.
var errRewind = errors.New("cortexkey: a repeated request needs a new signature")

// sendBelow sends by another transport, below which net/http may repeat a request. It asks for the body
// before it does so, and is refused: the request is signed and sent again from here. A request without a
// body gets an empty one that net/http must ask for, too.
func (t *Transport) sendBelow(req *http.Request) (*http.Response, error) {
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

// isRepeatable reports whether net/http sends a request again that a server may have read.
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

// sign asks the source for a signer. One that was closed meanwhile, since its key was replaced, is asked
// for again.
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
