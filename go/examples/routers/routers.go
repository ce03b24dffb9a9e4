// Package routers shows the verifier as middleware of chi and of gin. It is a separate module, so
// that the cortexkey module requires neither.
package routers

import (
	"fmt"
	"net/http"

	cortexkey "github.com/cortexkey/cortexkey/go"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
)

// Chi returns a chi router, which accepts the middleware directly.
func Chi(verifier *cortexkey.Verifier) http.Handler {
	router := chi.NewRouter()
	router.Use(verifier.Middleware)
	router.Get("/hello", func(w http.ResponseWriter, r *http.Request) {
		principal, _ := cortexkey.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "hello, key %d", principal.KeyID)
	})
	return router
}

// Gin returns a gin router.
func Gin(verifier *cortexkey.Verifier) http.Handler {
	router := gin.New()
	router.Use(ginMiddleware(verifier))
	router.GET("/hello", func(c *gin.Context) {
		principal, _ := cortexkey.PrincipalFrom(c.Request.Context())
		c.String(http.StatusOK, "hello, key %d", principal.KeyID)
	})
	return router
}

// ginMiddleware aborts if the verifier refused the request and has written the response.
func ginMiddleware(verifier *cortexkey.Verifier) gin.HandlerFunc {
	return func(c *gin.Context) {
		isAccepted := false
		next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			isAccepted = true
			c.Request = r
			c.Next()
		})
		verifier.Middleware(next).ServeHTTP(c.Writer, c.Request)
		if !isAccepted {
			c.Abort()
		}
	}
}
