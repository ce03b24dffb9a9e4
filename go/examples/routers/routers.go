// Package routers shows the verifier in front of the handlers of chi and of gin. It is a module of its
// own, so that the one it is an example of requires neither.
package routers

import (
	"fmt"
	"net/http"

	cortexkey "github.com/cortexkey/cortexkey/go"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
)

// Chi returns a router of chi, which takes the middleware as it is.
func Chi(verifier *cortexkey.Verifier) http.Handler {
	router := chi.NewRouter()
	router.Use(verifier.Middleware)
	router.Get("/hello", func(w http.ResponseWriter, r *http.Request) {
		principal, _ := cortexkey.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "hello, key %d", principal.KeyID)
	})
	return router
}

// Gin returns a router of gin.
func Gin(verifier *cortexkey.Verifier) http.Handler {
	router := gin.New()
	router.Use(ginMiddleware(verifier))
	router.GET("/hello", func(c *gin.Context) {
		principal, _ := cortexkey.PrincipalFrom(c.Request.Context())
		c.String(http.StatusOK, "hello, key %d", principal.KeyID)
	})
	return router
}

// ginMiddleware aborts where the verifier refuses, which has then written the answer.
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
