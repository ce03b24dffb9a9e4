//go:build race || asan || msan

package cortexkey

// Race detector and sanitizers allocate and empty pools, so allocations are not counted there.
const instrumented = true
