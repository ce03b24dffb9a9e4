//go:build !race && !asan && !msan

package cortexkey

const instrumented = false
