package routers

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	cortexkey "github.com/cortexkey/cortexkey/go"
	"github.com/gin-gonic/gin"
)

func TestRouters(t *testing.T) {
	gin.SetMode(gin.TestMode)
	keyring, err := cortexkey.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.Put(7, cortexkey.Advanced, "test-api-key"); err != nil {
		t.Fatal(err)
	}
	guard, err := cortexkey.NewMemoryGuard(cortexkey.MemoryGuardConfig{Entries: 100, First: true})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := cortexkey.NewVerifier(keyring, guard)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cortexkey.NewSigner(7, cortexkey.Advanced, "test-api-key")
	if err != nil {
		t.Fatal(err)
	}
	for name, router := range map[string]http.Handler{"chi": Chi(verifier), "gin": Gin(verifier)} {
		request := httptest.NewRequest(http.MethodGet, "/hello", http.NoBody)
		if err := signer.SignRequest(request); err != nil {
			t.Fatal(err)
		}
		// The second request is a replay.
		for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
			recorder := httptest.NewRecorder()
			router.ServeHTTP(recorder, request)
			isHello := strings.Contains(recorder.Body.String(), "hello, key 7")
			if recorder.Code != want || isHello != (want == http.StatusOK) {
				t.Errorf("%s: %d %s", name, recorder.Code, recorder.Body)
			}
		}
	}
}
