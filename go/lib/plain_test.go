//go:build cgo && !race && !asan && !msan

package lib_test

const instrumented = false
