//go:build cgo

package library

import (
	"fmt"
	"sync"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/capi"
)

// Guard is a replay guard of the library.
type Guard struct {
	mu     sync.Mutex
	handle *capi.ReplayGuard // nil once freed
}

// Open creates the handle.
func (g *Guard) Open(options backend.GuardOptions) error {
	handle, status := capi.NewReplayGuard(capi.GuardOptions{
		Entries: uint64(options.Entries), SkewMS: options.SkewMS, StartedMS: options.StartedMS,
		UsesPerKey: options.UsesPerKey, Keys: uint64(options.Keys), First: options.StartedMS == 0,
	})
	if status != capi.OK {
		return statusError(status)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.handle = handle
	return nil
}

// InLibrary calls use with the handle, which is not freed during the call.
func (g *Guard) InLibrary(use func(handle any) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.handle == nil {
		return fmt.Errorf("%w: the replay guard", backend.ErrClosed)
	}
	return use(g.handle)
}

// Free frees the handle. Verifiers that were created with it keep the guard.
func (g *Guard) Free() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.handle != nil {
		g.handle.Free()
		g.handle = nil
	}
}
