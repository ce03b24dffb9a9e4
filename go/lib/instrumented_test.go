//go:build cgo && (race || asan || msan)

package lib_test

// Race detector and sanitizers allocate and empty pools, so allocations are not counted there.
const instrumented = true
