package cortexkey

// The transport: each attempt anew, to no other host, and the caller's request as it was.

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTransportSignsEachAttemptAnew(t *testing.T) {
	var nonces []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		nonces = append(nonces, r.Header.Get(HeaderNonce))
		if len(nonces) == 1 {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	transport, err := NewTransport(newTestSigner(t, Advanced), nil, strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodPost, server.URL, strings.NewReader("the body"))
	request.Header.Set("X-Own", "kept")
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if string(body) != "the body" || len(nonces) != 2 || nonces[0] == nonces[1] {
		t.Errorf("%q %q", body, nonces)
	}
	if len(request.Header) != 1 {
		t.Errorf("the caller's request was changed: %v", request.Header)
	}
	transport.CloseIdleConnections()
}

func TestTransportSendsNothingElsewhere(t *testing.T) {
	sent := 0
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	transport, err := NewTransport(newTestSigner(t, Standard), base,
		"api-Acme.xdr.us.paloaltonetworks.com", "other.example:8443", "localhost", "[::1]")
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]error{
		"https://api-acme.xdr.us.paloaltonetworks.com/x":     nil,
		"https://api-acme.xdr.us.paloaltonetworks.com:443/":  nil,
		"https://API-ACME.xdr.us.paloaltonetworks.com./":     nil,
		"https://other.example:8443/":                        nil,
		"http://localhost/":                                  nil,
		"http://[::1]/":                                      nil,
		"http://api-acme.xdr.us.paloaltonetworks.com/x":      ErrPlainHTTP,
		"https://api-acme.xdr.us.paloaltonetworks.com:8443/": ErrHostNotAllowed,
		"https://other.example/":                             ErrHostNotAllowed,
		"https://evil.example/":                              ErrHostNotAllowed,
		"https://api-acme.xdr.us.paloaltonetworks.com.evil/": ErrHostNotAllowed,
		"https://api-acme.xdr.us.paloaltonetworks.com@evil/": ErrHostNotAllowed,
		"https://x.api-acme.xdr.us.paloaltonetworks.com/":    ErrHostNotAllowed,
	} {
		sent = 0
		request, _ := http.NewRequest(http.MethodGet, url, http.NoBody)
		body := &closing{}
		request.Body = body
		_, err := transport.RoundTrip(request)
		if !errors.Is(err, want) || (sent == 1) != (want == nil) || (want != nil && !body.closed) {
			t.Errorf("%s: %v, sent %d, closed %v", url, err, sent, body.closed)
		}
	}
}

type closing struct {
	closed bool
}

func (*closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestNewTransportRefuses(t *testing.T) {
	signer := newTestSigner(t, Standard)
	for _, hosts := range [][]string{nil, {""}, {"https://host"}, {"host/path"}, {"user@host"}, {":80"}, {"a b"}} {
		if _, err := NewTransport(signer, nil, hosts...); !errors.Is(err, ErrInvalidOption) {
			t.Errorf("%q: %v", hosts, err)
		}
	}
	if _, err := NewTransport(nil, nil, "host"); !errors.Is(err, ErrInvalidOption) {
		t.Error(err)
	}
	transport, _ := NewTransport(signer, nil, "host")
	if _, err := transport.RoundTrip(&http.Request{}); !errors.Is(err, ErrNilRequest) {
		t.Error(err)
	}
	_ = signer.Close()
	request, _ := http.NewRequest(http.MethodGet, "https://host", http.NoBody)
	if _, err := transport.RoundTrip(request); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestChildTenant(t *testing.T) {
	signer := newTestSigner(t, Advanced, WithChildTenant("child-1"))
	request, _ := http.NewRequest(http.MethodPost, "https://host", http.NoBody)
	request.Header["x-child-tenant-id"] = []string{"another"}
	if err := signer.SignRequest(request); err != nil || len(request.Header) != 5 || request.Header.Get(HeaderChildTenant) != "child-1" {
		t.Errorf("%v %v", err, request.Header)
	}
	// Without the option what the caller set stays.
	if err := newTestSigner(t, Advanced).SignRequest(request); err != nil || request.Header.Get(HeaderChildTenant) != "child-1" {
		t.Errorf("%v %v", err, request.Header)
	}
	if _, err := NewSigner(7, Advanced, testKey, WithChildTenant("a\nb")); !errors.Is(err, ErrInvalidOption) {
		t.Error(err)
	}
}
