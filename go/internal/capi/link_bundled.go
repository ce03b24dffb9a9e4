//go:build cgo && cortexkey_bundled

package capi

// Links the archive in this folder, which only the release file from `cargo xtask go-bundle` contains.

/*
#if defined(__linux__) && defined(__x86_64__)
#if !__has_include("libcortexkey_linux_amd64.a")
#define CXK_NOT_BUNDLED
#endif
#elif defined(__linux__) && defined(__aarch64__)
#if !__has_include("libcortexkey_linux_arm64.a")
#define CXK_NOT_BUNDLED
#endif
#elif defined(_WIN32) && defined(__x86_64__)
#if !__has_include("libcortexkey_windows_amd64.a")
#define CXK_NOT_BUNDLED
#endif
#else
#define CXK_NOT_BUNDLED
#endif
#ifdef CXK_NOT_BUNDLED
#error "this copy of the module has no library for this system in it: take the release file cortexkey-go-VERSION.tar.gz, or build without the tag cortexkey_bundled"
#endif
#cgo linux,amd64 LDFLAGS: ${SRCDIR}/libcortexkey_linux_amd64.a -lgcc_eh -lpthread -ldl
#cgo linux,arm64 LDFLAGS: ${SRCDIR}/libcortexkey_linux_arm64.a -lgcc_eh -lpthread -ldl
#cgo windows,amd64 LDFLAGS: ${SRCDIR}/libcortexkey_windows_amd64.a -lntdll -luserenv -lws2_32 -ldbghelp
*/
import "C"

// Link describes how the library was linked.
const Link = "bundled"
