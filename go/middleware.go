package cortexkey

// Verification for net/http. Every refusal looks the same to the client.

import (
	"context"
	"io"
	"net/http"
)

// refusal is the product's response to every request that it does not accept.
const refusal = `{"reply":{"err_code":401,"err_msg":"Public API request unauthorized","err_extra":null}}`

type principalKey struct{}

// Middleware passes accepted requests to next, with their [Principal] in the context, and answers
// all others with the same 401. It works with routers that take func(http.Handler) http.Handler,
// such as chi. If next is nil, accepted requests are answered with 500.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	if next == nil {
		next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no handler", http.StatusInternalServerError)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := v.Verify(r.Context(), r.Header)
		if err != nil {
			v.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), principal)))
	})
}

// WithPrincipal returns a context from which [PrincipalFrom] gets a principal, for frameworks that cannot use
// [Verifier.Middleware], and for tests of handlers.
func WithPrincipal(ctx context.Context, principal Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, principal)
}

// PrincipalFrom returns the sender of the context's request. It returns false if the context holds
// no principal.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	if ctx == nil {
		return Principal{}, false
	}
	principal, ok := ctx.Value(principalKey{}).(Principal)
	return principal, ok
}

func (v *Verifier) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if v != nil && v.refused != nil {
		v.refused(r, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, refusal)
}
