package cortexkey

// The transport: a new signature for each attempt, none for other hosts, and the caller's request
// unchanged.

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

func TestTransportSignsEachAttempt(t *testing.T) {
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

func TestTransportSendsKeysOnlyToItsHost(t *testing.T) {
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
	for _, hosts := range [][]string{
		nil, {""}, {"https://host"}, {"host/path"}, {"user@host"}, {":80"}, {"a b"}, {"*.host"}, {"*"}, {"host:80"},
		{"host:0"}, {"host:65536"}, {"host:"}, {"host:https"}, {"a..b"}, {"host.."}, {"host?q"}, {"host#f"}, {"::1"},
		{"b\u00fccher.example"}, {strings.Repeat("a", 64)}, {"host", "*.host"}, {"%41"},
	} {
		if _, err := NewTransport(signer, nil, hosts...); !errors.Is(err, ErrInvalidOption) {
			t.Errorf("%q: %v", hosts, err)
		}
	}
	for _, source := range []SignerSource{nil, (*Signer)(nil), SignerFunc(nil)} {
		if _, err := NewTransport(source, nil, "host"); !errors.Is(err, ErrNil) {
			t.Errorf("%T: %v", source, err)
		}
	}
	transport, _ := NewTransport(signer, (*http.Transport)(nil), "host")
	for _, request := range []*http.Request{nil, {}} {
		if _, err := transport.RoundTrip(request); !errors.Is(err, ErrNilRequest) {
			t.Error(err)
		}
	}
	_ = signer.Close()
	request, _ := http.NewRequest(http.MethodGet, "https://host", http.NoBody)
	if _, err := transport.RoundTrip(request); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// Each accepted host equals that of a request, in any spelling.
func TestHostsMatch(t *testing.T) {
	signer := newTestSigner(t, Standard)
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	for host, urls := range map[string][]string{
		"localhost:80":     {"http://localhost/", "http://LOCALHOST:80/"},
		"localhost":        {"http://localhost", "https://localhost:443"},
		"127.0.0.1:8080":   {"http://127.0.0.1:8080"},
		"[::1]:8080":       {"http://[0:0:0:0:0:0:0:1]:8080"},
		"host.example:443": {"https://host.example/"},
		"Host.Example.":    {"https://host.example/", "https://host.example.:443/"},
		"a_b.example":      {"https://a_b.example/"},
		"10.0.0.1:8443":    {"https://10.0.0.1:8443/"},
	} {
		transport, err := NewTransport(signer, base, host)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, url := range urls {
			request, _ := http.NewRequest(http.MethodGet, url, http.NoBody)
			if _, err := transport.RoundTrip(request); err != nil {
				t.Errorf("%s for %s: %v", url, host, err)
			}
		}
	}
}

func TestChildTenant(t *testing.T) {
	signer := newTestSigner(t, Advanced, WithChildTenant("child-1"))
	request, _ := http.NewRequest(http.MethodPost, "https://host", http.NoBody)
	request.Header["x-child-tenant-id"] = []string{"another"}
	if err := signer.SignRequest(request); err != nil || len(request.Header) != 5 || request.Header.Get(HeaderChildTenant) != "child-1" {
		t.Errorf("%v %v", err, request.Header)
	}
	// Without the option, the caller's header stays.
	if err := newTestSigner(t, Advanced).SignRequest(request); err != nil || request.Header.Get(HeaderChildTenant) != "child-1" {
		t.Errorf("%v %v", err, request.Header)
	}
	if _, err := NewSigner(7, Advanced, testKey, WithChildTenant("a\nb")); !errors.Is(err, ErrInvalidOption) {
		t.Error(err)
	}
}
