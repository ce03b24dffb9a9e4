package cortexkey

// Retries by net/http itself: each attempt that reaches a server has its own signature.

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
)

// dropServer accepts requests. For a number of the first requests to /drop…, it closes the
// connection after it has verified them, without a response.
type dropServer struct {
	*httptest.Server
	mu     sync.Mutex
	drops  map[string]int
	nonces []string
}

func newDropServer(t *testing.T, drops int) *dropServer {
	ring := newTestKeyring(t)
	if err := ring.Put(7, Advanced, testKey); err != nil {
		t.Fatal(err)
	}
	guard, err := NewMemoryGuard(MemoryGuardConfig{Entries: 1000, First: true})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := NewVerifier(ring, guard)
	if err != nil {
		t.Fatal(err)
	}
	server := &dropServer{drops: map[string]int{}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		server.mu.Lock()
		server.nonces = append(server.nonces, r.Header.Get(HeaderNonce))
		server.drops[r.URL.Path]++
		isDropped := strings.HasPrefix(r.URL.Path, "/drop") && server.drops[r.URL.Path] <= drops
		server.mu.Unlock()
		if isDropped {
			connection, _, _ := w.(http.Hijacker).Hijack()
			_ = connection.Close()
			return
		}
		_, _ = w.Write(body)
		if r.URL.Path == "/warm" {
			// Its connection is in use until the body is read.
			_, _ = w.Write(make([]byte, 64<<10))
		}
	})
	server.Server = httptest.NewServer(verifier.Middleware(handler))
	t.Cleanup(server.Close)
	return server
}

// ownTransport is net/http's transport, with connections that no other test uses.
func ownTransport(t *testing.T) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// cloner is a transport that sends a copy of the request, as tracing transports do.
type cloner struct {
	below http.RoundTripper
}

func (c cloner) RoundTrip(r *http.Request) (*http.Response, error) {
	return c.below.RoundTrip(r.Clone(r.Context()))
}

func TestEveryAttemptHasItsOwnSignature(t *testing.T) {
	for name, base := range map[string]func(*http.Transport) http.RoundTripper{
		"net/http":       func(t *http.Transport) http.RoundTripper { return t },
		"below a cloner": func(t *http.Transport) http.RoundTripper { return cloner{t} },
	} {
		for _, drops := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d", name, drops), func(t *testing.T) {
				server := newDropServer(t, drops)
				signer := newTestSigner(t, Advanced)
				transport, err := NewTransport(signer, base(ownTransport(t)), strings.TrimPrefix(server.URL, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				for _, test := range []struct{ method, path, body string }{
					{"GET", "/drop-get", ""}, {"HEAD", "/drop-head", ""}, {"OPTIONS", "/drop-options", ""},
					{"POST", "/drop-post", "body"}, {"POST", "/drop-key", "body"},
				} {
					warm(t, transport, server, drops)
					call(t, transport, test.method, server.URL+test.path, test.body)
				}
				slices.Sort(server.nonces)
				if len(slices.Compact(server.nonces)) != len(server.nonces) || len(server.nonces) < 14 {
					t.Errorf("a nonce came twice, or %d attempts only", len(server.nonces))
				}
			})
		}
	}
}

// warm leaves this many idle connections.
func warm(t *testing.T, transport http.RoundTripper, server *dropServer, count int) {
	idle := make(chan error, count)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{PutIdleConn: func(err error) { idle <- err }})
	var responses []*http.Response
	for range count {
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/warm", nil)
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		responses = append(responses, response)
	}
	for _, response := range responses {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	for range count {
		if err := <-idle; err != nil {
			t.Fatal(err)
		}
	}
}

// call is never refused. If the server drops it, it fails or is retried.
func call(t *testing.T, transport http.RoundTripper, method, url, body string) {
	request, _ := http.NewRequest(method, url, strings.NewReader(body))
	if body == "" {
		request, _ = http.NewRequest(method, url, nil)
	}
	if strings.HasSuffix(url, "-key") {
		request.Header.Set("Idempotency-Key", "1")
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	got, _ := io.ReadAll(response.Body)
	if response.StatusCode != 200 || string(got) != body && method != "HEAD" {
		t.Errorf("%s %s: %d %q", method, url, response.StatusCode, got)
	}
	if response.Request.Header.Get(HeaderAuthorization) != "" {
		t.Error("the response's request shows what signed it")
	}
}

// net/http retries a GET on a connection that was kept alive. This test ensures that it does;
// otherwise the test above would prove nothing.
func TestNetHTTPRepeats(t *testing.T) {
	for _, base := range []func(*http.Transport) http.RoundTripper{
		func(t *http.Transport) http.RoundTripper { return t },
		func(t *http.Transport) http.RoundTripper { return cloner{t} },
	} {
		server := newDropServer(t, 1)
		transport, err := NewTransport(newTestSigner(t, Advanced), base(ownTransport(t)), strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		warm(t, transport, server, 1)
		response, err := (&http.Client{Transport: transport}).Get(server.URL + "/drop")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 200 || server.drops["/drop"] != 2 {
			t.Errorf("%d after %d attempts", response.StatusCode, server.drops["/drop"])
		}
	}
}

// If a signer is closed between two attempts of net/http, the second attempt has no signature.
func TestASignerThatIsClosedBetweenAttempts(t *testing.T) {
	server := newDropServer(t, 1)
	signer := newTestSigner(t, Advanced)
	asked := 0
	source := SignerFunc(func(ctx context.Context) (*Signer, error) {
		if asked++; asked == 3 {
			return nil, ErrClosed
		}
		return signer, nil
	})
	transport, err := NewTransport(source, ownTransport(t), strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	warm(t, transport, server, 1)
	response, err := transport.RoundTrip(httptest.NewRequest(http.MethodGet, server.URL+"/drop", nil))
	if !errors.Is(err, ErrClosed) || response != nil || len(server.nonces) != 2 {
		t.Errorf("%v, %d nonces", err, len(server.nonces))
	}
}

// refusingH2 refuses the first stream of each connection, which means that it did not process the
// request, and responds to the next one with 200. It implements only as much of HTTP/2 as this
// needs.
func refusingH2(t *testing.T) *tls.Config {
	listener := httptest.NewUnstartedServer(nil)
	listener.TLS = &tls.Config{NextProtos: []string{"h2"}}
	listener.EnableHTTP2 = true
	listener.StartTLS()
	certificates := listener.TLS.Certificates
	listener.Close()
	return &tls.Config{Certificates: certificates, NextProtos: []string{"h2"}}
}

func serveRefusingH2(connection net.Conn, refusals int) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	_, _ = io.ReadFull(reader, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
	write := func(kind, flags byte, stream uint32, payload []byte) {
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
		frame = binary.BigEndian.AppendUint32(append(frame, flags), stream)
		_, _ = connection.Write(append(frame, payload...))
	}
	const headers, reset, settings, endStream, endHeaders, refusedStream = 1, 3, 4, 1, 4, 7
	write(settings, 0, 0, nil)
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(reader, head); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(head) >> 8
		if _, err := io.CopyN(io.Discard, reader, int64(length)); err != nil {
			return
		}
		stream := binary.BigEndian.Uint32(head[5:])
		switch {
		case head[3] == settings && head[4] == 0:
			write(settings, 1, 0, nil)
		case head[3] == headers && refusals > 0:
			refusals--
			write(reset, 0, stream, binary.BigEndian.AppendUint32(nil, refusedStream))
		case head[3] == headers:
			write(headers, endStream|endHeaders, stream, []byte{0x88}) // :status 200
		}
	}
}

func TestEveryHTTP2AttemptHasItsOwnSignature(t *testing.T) {
	config := refusingH2(t)
	for name, isDirect := range map[string]bool{"net/http": true, "below a cloner": false} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(name+" "+method, func(t *testing.T) {
				listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
				if err != nil {
					t.Fatal(err)
				}
				defer listener.Close()
				go func() {
					for {
						connection, err := listener.Accept()
						if err != nil {
							return
						}
						go serveRefusingH2(connection, 1)
					}
				}()
				below := ownTransport(t)
				below.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
				below.ForceAttemptHTTP2 = true
				base := http.RoundTripper(below)
				if !isDirect {
					base = cloner{below}
				}
				transport, err := NewTransport(newTestSigner(t, Advanced), base, listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				var nonces []string
				trace := &httptrace.ClientTrace{WroteHeaderField: func(name string, values []string) {
					if strings.EqualFold(name, HeaderNonce) {
						nonces = append(nonces, values...)
					}
				}}
				request, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), method,
					"https://"+listener.Addr().String()+"/", strings.NewReader("body"))
				if method == "GET" {
					request.Body, request.GetBody, request.ContentLength = nil, nil, 0
				}
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				if response.ProtoMajor != 2 || len(nonces) != 2 || nonces[0] == nonces[1] {
					t.Errorf("HTTP/%d, nonces %q", response.ProtoMajor, nonces)
				}
			})
		}
	}
}
