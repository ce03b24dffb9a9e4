//go:build cgo

package capi

/*
#cgo noescape cxk_definitions_load
#cgo nocallback cxk_definitions_load
#cgo noescape cxk_definitions_get
#cgo nocallback cxk_definitions_get
#cgo noescape cxk_definitions_find
#cgo nocallback cxk_definitions_find
#cgo noescape cxk_definitions_find_id
#cgo nocallback cxk_definitions_find_id
#cgo noescape cxk_compare
#cgo nocallback cxk_compare
#cgo noescape cxk_decide
#cgo nocallback cxk_decide
#cgo nocallback cxk_definitions_free
#include <stdlib.h>
#include "cortexkey.h"
*/
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

// Definitions is a handle of the library.
type Definitions struct {
	handle  *C.cxk_definitions
	cleanup runtime.Cleanup
}

// LoadDefinitions creates a handle. The garbage collector frees it, but Free does so at a known time.
func LoadDefinitions(bytes []byte) (*Definitions, Status) {
	if !abiMatches() {
		return nil, ABIMismatch
	}
	if len(bytes) == 0 {
		return nil, InvalidDefinitions
	}
	definitions := new(Definitions)
	status := C.cxk_definitions_load(unsafe.Pointer(chars(bytes)), C.size_t(len(bytes)), &definitions.handle)
	if status != C.CXK_OK {
		return nil, Status(status)
	}
	definitions.cleanup = runtime.AddCleanup(definitions, freeDefinitions, definitions.handle)
	return definitions, OK
}

// Get returns the definition at an index.
func (d *Definitions) Get(at int) (backend.Definition, Status) {
	var c C.cxk_definition
	status := C.cxk_definitions_get(d.handle, C.size_t(at), &c)
	runtime.KeepAlive(d)
	return backend.Definition{
		Name: string(text(c.name[:])), Tenant: string(text(c.tenant[:])), KeyID: uint64(c.key_id),
		ExpiresMS: uint64(c.expires_ms), LifetimeMS: uint64(c.lifetime_ms), Advanced: c.level == C.CXK_LEVEL_ADVANCED,
	}, Status(status)
}

// Find returns the index of a name.
func (d *Definitions) Find(name string) (int, Status) {
	var at C.size_t
	chars := (*C.char)(unsafe.Pointer(unsafe.StringData(name)))
	if name == "" {
		return 0, NotFound
	}
	status := C.cxk_definitions_find(d.handle, chars, C.size_t(len(name)), &at)
	runtime.KeepAlive(d)
	return int(at), Status(status)
}

// FindID returns the index of a key id.
func (d *Definitions) FindID(keyID uint64) (int, Status) {
	var at C.size_t
	status := C.cxk_definitions_find_id(d.handle, C.uint64_t(keyID), &at)
	runtime.KeepAlive(d)
	return int(at), Status(status)
}

// Compare writes the gains of keys to a buffer, and counts them.
func Compare(before, after *Definitions, lines []byte) (int, Status) {
	var gains C.size_t
	status := C.cxk_compare(before.handle, after.handle, chars(lines), C.size_t(len(lines)), &gains)
	runtime.KeepAlive(before)
	runtime.KeepAlive(after)
	return int(gains), Status(status)
}

// Free frees the handle; calls on it then return NullArg.
func (d *Definitions) Free() {
	d.cleanup.Stop()
	freeDefinitions(d.handle)
	d.handle = nil
}

func freeDefinitions(handle *C.cxk_definitions) { C.cxk_definitions_free(handle) }

// LineSize is the size of a buffer for the explanation of a decision.
const LineSize = C.CXK_LINE_SIZE

// Decide answers a question about the key at an index: OK, DecisionRefused, DecisionUnknown, or the reason why there
// is no answer. It writes the explanation and a NUL to why.
func (d *Definitions) Decide(at int, q *backend.Question, why []byte) (status, ifEnforced Status, scopesOff bool) {
	m := memory{}
	defer m.free()
	question := (*C.cxk_question)(m.take(unsafe.Sizeof(C.cxk_question{})))
	question.struct_size = C.uint32_t(unsafe.Sizeof(C.cxk_question{}))
	question.kind, question.permission = C.cxk_question_kind(q.Kind), C.cxk_permission(q.Permission)
	question.name = m.text(q.Name)
	question.groups, question.group_count = m.texts(q.Groups)
	question.tags, question.tag_count = m.texts(q.Tags)
	question.references, question.reference_count = m.references(q.References)
	issues := array[C.cxk_issue](&m, len(q.Issues))
	for i, issue := range q.Issues {
		issues[i].domain = m.text(issue.Domain)
		issues[i].references, issues[i].reference_count = m.references(issue.References)
	}
	question.issues, question.issue_count = unsafe.SliceData(issues), C.size_t(len(issues))
	fields := array[C.cxk_field](&m, len(q.Fields))
	for i, field := range q.Fields {
		fields[i].name, fields[i].value = m.text(field[0]), m.text(field[1])
	}
	question.fields, question.field_count = unsafe.SliceData(fields), C.size_t(len(fields))

	var decision C.cxk_decision
	result := C.cxk_decide(d.handle, C.size_t(at), question, &decision, chars(why), C.size_t(len(why)))
	runtime.KeepAlive(d)
	return Status(result), Status(decision.if_enforced), decision.scopes_off != 0
}

// Text returns the bytes before the NUL.
func Text(bytes []byte) string {
	for i, b := range bytes {
		if b == 0 {
			return string(bytes[:i])
		}
	}
	return string(bytes)
}

// memory is allocated by C, so it may contain pointers. It is freed as a whole.
type memory struct {
	taken []unsafe.Pointer
}

// take allocates zeroed memory.
func (m *memory) take(size uintptr) unsafe.Pointer {
	p := C.calloc(1, C.size_t(size)) // cgo's calloc never returns nil
	m.taken = append(m.taken, p)
	return p
}

func (m *memory) free() {
	for _, p := range m.taken {
		C.free(p)
	}
}

func (m *memory) text(text string) *C.char {
	p := m.take(uintptr(len(text)) + 1)
	copy(unsafe.Slice((*byte)(p), len(text)), text)
	return (*C.char)(p)
}

func (m *memory) texts(texts []string) (**C.char, C.size_t) {
	list := array[*C.char](m, len(texts))
	for i, text := range texts {
		list[i] = m.text(text)
	}
	return unsafe.SliceData(list), C.size_t(len(list))
}

func (m *memory) references(references []backend.Reference) (*C.cxk_reference, C.size_t) {
	list := array[C.cxk_reference](m, len(references))
	for i, reference := range references {
		list[i].kind = C.cxk_reference_kind(reference.Kind)
		list[i].groups, list[i].group_count = m.texts(reference.Groups)
		if endpoint := reference.Endpoint; endpoint != nil {
			held := &array[C.cxk_endpoint](m, 1)[0]
			held.groups, held.group_count = m.texts(endpoint.Groups)
			held.tags, held.tag_count = m.texts(endpoint.Tags)
			list[i].endpoint = held
		}
	}
	return unsafe.SliceData(list), C.size_t(len(list))
}

func array[T any](m *memory, count int) []T {
	if count == 0 {
		return nil
	}
	var one T
	return unsafe.Slice((*T)(m.take(unsafe.Sizeof(one)*uintptr(count))), count)
}
