// Package access reads compiled definitions and decides what keys may do, in pure Go. The format and the rules are
// those of crates/core/src/access; tests compare the answers with the C library's.
package access

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/cortexkey/cortexkey/go/internal/backend"
)

const (
	magic        = "\x89CKC\r\n\x1a\n"
	version      = 2
	headBytes    = 48
	bytesMax     = 64 << 20
	keysMax      = 100_000
	nameBytesMax = 255
)

// ambiguous marks a name in an index that several keys have.
const ambiguous = -1

// Definitions holds compiled definitions. They never change.
type Definitions struct {
	keys   []key
	byName map[string]int
	// By tenant/name, for keys with a tenant.
	qualified map[string]int
	byID      map[uint64]int
}

// key is one record.
type key struct {
	tenant, name string
	ids          []uint64 // the current one first
	advanced     bool
	expiresMS    uint64
	lifetimeMS   uint64
	// The product has an older model of scopes, which is not evaluated.
	olderScopes bool
	// The tenant's settings.
	sbac        uint8
	restrictive bool // all of an endpoint's tags must be selected
	datasets    bool // rows have scopes
	roles       []role
	scope       *scope // nil if the key has none
}

const (
	sbacEnforced = iota
	sbacDisabled
	sbacUnknown // decided as if they were enforced
)

type role struct {
	name     string
	holdsAll bool
	grants   []grant
	others   level // of all other components
	// The actions that it holds and lacks, and whether it lacks all others.
	held, lacked    []string
	actionsAreKnown bool
}

type grant struct {
	component string
	level     level
}

// level holds the bounds of a level: the lowest and the highest that is possible.
type level struct{ lowest, highest uint32 }

// levels are the possible bounds of a level; the index is the code.
var levels = [...]level{{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 1}, {0, 2}}

type scope struct {
	assets, casesAndIssues       selection
	unreferenced                 bool
	endpointGroups, endpointTags selection
	// The rows of datasets, if the scope has this area.
	hasDatasets bool
	allRows     bool
	filters     [][2]string // dataset and filter
}

// selection is a mode and the names that it selects.
type selection struct {
	mode  uint8
	names []string
}

// Modes of an area, and of an axis of the endpoints.
const (
	areaNone   = 0
	areaAll    = 1
	areaSelect = 2

	axisNoScope = 0
	axisSeeAll  = 1
	axisAny     = 2
	axisScope   = 3
)

// Load reads compiled definitions and keeps a copy. It validates every record before it returns, so a damaged byte
// anywhere is an error here.
func Load(compiled []byte) (backend.Definitions, error) {
	body, err := body(compiled)
	if err != nil {
		return nil, err
	}
	keys, ok := records(cursor{rest: string(body)})
	if !ok {
		return nil, errDamaged
	}
	d := &Definitions{keys: keys, byName: map[string]int{}, qualified: map[string]int{}, byID: map[uint64]int{}}
	for at := range keys {
		key := &keys[at]
		addTo(d.byName, key.name, at)
		if key.tenant != "" {
			addTo(d.qualified, key.tenant+"/"+key.name, at)
		}
		for _, id := range key.ids {
			addTo(d.byID, id, at)
		}
	}
	return d, nil
}

// addTo adds a key to an index, or marks the name as ambiguous.
func addTo[K comparable](index map[K]int, name K, at int) {
	if known, ok := index[name]; ok && known != at {
		at = ambiguous
	}
	index[name] = at
}

// At returns the definition at an index.
func (d *Definitions) At(at int) (backend.Definition, error) {
	if at < 0 || at >= len(d.keys) {
		return backend.Definition{}, fmt.Errorf("%w: index %d", backend.ErrNotFound, at)
	}
	key := &d.keys[at]
	definition := backend.Definition{
		Tenant: key.tenant, Name: key.name, ExpiresMS: key.expiresMS, LifetimeMS: key.lifetimeMS, Advanced: key.advanced,
	}
	if len(key.ids) > 0 {
		definition.KeyID = key.ids[0]
	}
	return definition, nil
}

// Find returns the index of a name, or of tenant/name.
func (d *Definitions) Find(name string) (int, error) {
	at, isName := d.byName[name]
	qualified, isQualified := d.qualified[name]
	switch {
	case !isName && !isQualified:
		return 0, fmt.Errorf("%w: %s", backend.ErrNotFound, name)
	case isName && isQualified:
		at = ambiguous
	case isQualified:
		at = qualified
	}
	if at == ambiguous {
		return 0, fmt.Errorf("%w: %s; give tenant/name", backend.ErrAmbiguousName, name)
	}
	return at, nil
}

// FindID returns the index of the key with an id.
func (d *Definitions) FindID(keyID uint64) (int, error) {
	at, ok := d.byID[keyID]
	switch {
	case !ok:
		return 0, fmt.Errorf("%w: key id %d", backend.ErrNotFound, keyID)
	case at == ambiguous:
		return 0, fmt.Errorf("%w: key id %d is of several tenants; compile the definitions of one",
			backend.ErrAmbiguousName, keyID)
	}
	return at, nil
}

// Close does nothing: definitions contain no secret.
func (d *Definitions) Close() {}

var errDamaged = fmt.Errorf("%w: they are damaged: a byte is missing or changed; copy the file again, as bytes and not as text",
	backend.ErrInvalidDefinitions)

// body returns the bytes after the digest, once they are known to be undamaged.
func body(compiled []byte) ([]byte, error) {
	if len(compiled) > bytesMax {
		return nil, fmt.Errorf("%w: they have more than %d bytes", backend.ErrInvalidDefinitions, bytesMax)
	}
	if !bytes.HasPrefix(compiled, []byte(magic)) {
		return nil, fmt.Errorf("%w: the bytes are not compiled definitions; `cortexkey compile` creates them from YAML",
			backend.ErrInvalidDefinitions)
	}
	if len(compiled) < headBytes {
		return nil, errDamaged
	}
	head, body := compiled[len(magic):headBytes], compiled[headBytes:]
	if form := binary.LittleEndian.Uint32(head); form != version {
		return nil, fmt.Errorf("%w: they have format version %d, and this release reads %d; compile them with this release",
			backend.ErrInvalidDefinitions, form, version)
	}
	digest := sha256.Sum256(body)
	if uint64(binary.LittleEndian.Uint32(head[4:])) != uint64(len(body)) || !bytes.Equal(digest[:], head[8:]) {
		return nil, errDamaged
	}
	return body, nil
}

// records reads the keys, which are sorted by tenant and name.
func records(c cursor) ([]key, bool) {
	count := c.word()
	if count > keysMax {
		return nil, false
	}
	var keys []key
	for range count {
		record := cursor{rest: c.take(uint64(c.word()))}
		if c.bad {
			return nil, false
		}
		read := record.key()
		if record.bad || record.rest != "" || read.name == "" {
			return nil, false
		}
		if last := len(keys) - 1; last >= 0 && !keys[last].isBefore(&read) {
			return nil, false
		}
		keys = append(keys, read)
	}
	return keys, !c.bad && c.rest == ""
}

func (k *key) isBefore(other *key) bool {
	return k.tenant < other.tenant || k.tenant == other.tenant && k.name < other.name
}

// cursor reads the remaining bytes. After invalid bytes it returns zeros, and bad stays set.
type cursor struct {
	rest string
	bad  bool
}

func (c *cursor) take(count uint64) string {
	if c.bad || count > uint64(len(c.rest)) {
		c.bad, c.rest = true, ""
		return ""
	}
	taken := c.rest[:count]
	c.rest = c.rest[count:]
	return taken
}

func (c *cursor) number(bytes uint64) uint64 {
	var number [8]byte
	copy(number[:], c.take(bytes))
	return binary.LittleEndian.Uint64(number[:])
}

func (c *cursor) byte() uint8  { return uint8(c.number(1)) }
func (c *cursor) short() int   { return int(c.number(2)) }
func (c *cursor) word() uint32 { return uint32(c.number(4)) }

// upTo reads a byte of at most the given value.
func (c *cursor) upTo(most uint8) uint8 {
	value := c.byte()
	c.bad = c.bad || value > most
	return value
}

func (c *cursor) flag() bool { return c.upTo(1) == 1 }

func (c *cursor) text() string {
	text := c.take(c.number(2))
	c.bad = c.bad || !utf8.ValidString(text)
	return text
}

func (c *cursor) keyName() string {
	text := c.text()
	c.bad = c.bad || len(text) > nameBytesMax
	return text
}

// list reads a count and as many values. It stops at invalid bytes, so a forged count cannot allocate memory.
func list[T any](c *cursor, one func() T) []T {
	var list []T
	for count := c.short(); len(list) < count && !c.bad; {
		list = append(list, one())
	}
	return list
}

func (c *cursor) key() key {
	k := key{tenant: c.keyName(), name: c.keyName()}
	k.ids = list(c, func() uint64 {
		id := c.number(8)
		c.bad = c.bad || id == 0
		return id
	})
	level := c.upTo(2)
	c.bad = c.bad || level == 0
	k.advanced = level == 2
	c.expiry(&k)
	k.olderScopes = c.flag()
	k.sbac = c.upTo(sbacUnknown)
	k.restrictive, k.datasets = c.flag(), c.flag()
	k.roles = list(c, c.role)
	if c.flag() {
		k.scope = c.scope()
	}
	return k
}

// expiry reads when a key expires: never, at a time, or a lifetime after it is generated.
func (c *cursor) expiry(k *key) {
	kind, ms := c.upTo(2), c.number(8)
	k.expiresMS = math.MaxUint64
	switch kind {
	case 0:
		c.bad = c.bad || ms != 0
	case 1:
		k.expiresMS = ms
	case 2:
		k.lifetimeMS = ms
	}
}

func (c *cursor) role() role {
	r := role{name: c.text()}
	flags := c.upTo(3)
	r.holdsAll, r.actionsAreKnown = flags&1 != 0, flags&2 != 0
	r.others = c.level()
	r.grants = list(c, func() grant { return grant{c.text(), c.level()} })
	r.held = list(c, c.text)
	r.lacked = list(c, c.text)
	return r
}

func (c *cursor) level() level {
	code := c.upTo(uint8(len(levels) - 1))
	return levels[min(int(code), len(levels)-1)]
}

func (c *cursor) scope() *scope {
	s := &scope{}
	s.assets = c.selection(areaSelect)
	s.casesAndIssues = c.selection(areaSelect)
	s.unreferenced = c.flag()
	s.endpointGroups = c.selection(axisScope)
	s.endpointTags = c.selection(axisScope)
	rows := c.upTo(2)
	s.hasDatasets, s.allRows = rows != 0, rows == 2
	s.filters = list(c, func() [2]string { return [2]string{c.text(), c.text()} })
	c.bad = c.bad || !s.hasDatasets && len(s.filters) > 0
	return s
}

// selection reads a mode and the names that it selects. Only the highest mode selects names.
func (c *cursor) selection(selects uint8) selection {
	s := selection{mode: c.upTo(selects)}
	s.names = list(c, c.text)
	c.bad = c.bad || s.mode < selects && len(s.names) > 0
	return s
}
