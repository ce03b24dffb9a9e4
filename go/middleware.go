package cortexkey

// Verification for net/http. It refuses to tell strangers why.

import (
	"context"
	"io"
	"net/http"
)

// refusal is what the product answers to every request that is not authentic.
const refusal = `{"reply":{"err_code":401,"err_msg":"Public API request unauthorized","err_extra":null}}`

type principalKey struct{}

// Middleware lets requests through to a handler that are authentic, with their [Principal] in the
// context, and answers 401 to the others, to all in the same way.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := v.Verify(r.Context(), r.Header)
		if err != nil {
			v.refused(r, err)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, refusal)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, principal)))
	})
}

// PrincipalFrom returns who sent the request of a context, and whether [Verifier.Middleware] let it
// through.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	principal, ok := ctx.Value(principalKey{}).(Principal)
	return principal, ok
}
