//go:build cortexkey_cgo && cgo && cortexkey_bundled

package capi

// The archive that release files of this module have within them. In a checkout it is not there:
// `cargo xtask go-bundle` puts it in its place.

// #cgo linux,amd64 LDFLAGS: ${SRCDIR}/lib/linux_amd64/libcortexkey.a -lgcc_eh -lpthread -ldl
// #cgo linux,arm64 LDFLAGS: ${SRCDIR}/lib/linux_arm64/libcortexkey.a -lgcc_eh -lpthread -ldl
import "C"

// Link says how the library was linked.
const Link = "bundled"
