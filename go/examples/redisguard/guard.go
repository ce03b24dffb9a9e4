// Package redisguard is an example of a [cortexkey.ReplayGuard] that several servers share, on Redis
// 6.2 or later, or Valkey.
//
// The script replay_guard.lua decides, and its first lines describe how. This package is the part of one member, which
// polls the server. Copy and adapt it: it contains its own small client, so it needs no other module.
package redisguard

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

//go:embed replay_guard.lua
var script string

const (
	pollInterval = 500 * time.Millisecond
	pollValid    = 2 * time.Second
	// notice is how long a member waits before it accepts requests in a range that it has announced. By then every
	// other member has polled and knows the range.
	notice = pollValid + 500*time.Millisecond
)

// All keys have one hash tag, so that a cluster keeps them on one node.
var keys = []string{"{cortexkey-replay}:state", "{cortexkey-replay}:used", "{cortexkey-replay}:live"}

// ErrNotReady means that the guard cannot decide: the server is unreachable or unsuitable, or the guard has just started.
var ErrNotReady = errors.New("the replay guard is not ready")

// Guard is a member. It implements [cortexkey.ReplayGuard].
type Guard struct {
	server *server
	file   string
	skew   time.Duration
	member string
	stop   chan struct{}
	done   sync.WaitGroup

	mu        sync.Mutex // guards the fields below
	known     known
	accepted  uint64
	noted     []notedRanges
	usable    ranges
	goodUntil time.Time
}

// known is what a member must not forget. It is written to the file before it takes effect.
type known struct {
	generation, id, widest string
	taken                  ranges
}

type notedRanges struct {
	at    time.Time
	taken ranges
}

// Open joins the guard as a member. The file belongs to this member alone and must survive a restart. The skew is the
// verifiers' skew.
func Open(address, file string, skew time.Duration) (*Guard, error) {
	guard := &Guard{
		server: &server{address: address}, file: file, skew: skew, member: chance(),
		stop: make(chan struct{}), known: known{generation: "0", widest: "0"},
	}
	if err := guard.load(); err != nil {
		return nil, err
	}
	if err := guard.poll(); err != nil {
		return nil, err
	}
	guard.done.Add(1)
	go guard.keepPolling()
	return guard, nil
}

// Close stops the member.
func (g *Guard) Close() {
	close(g.stop)
	g.done.Wait()
}

// Remember implements [cortexkey.ReplayGuard].
func (g *Guard) Remember(_ context.Context, tag [16]byte, until time.Time) error {
	timestamp := until.Add(-g.skew).UnixMilli()
	g.mu.Lock()
	g.age()
	ready := time.Now().Before(g.goodUntil) && g.usable.contain(timestamp)
	arguments := append(g.arguments("use"), strconv.FormatInt(timestamp, 10), string(tag[:]), "0")
	g.mu.Unlock()
	if !ready {
		return ErrNotReady
	}
	answer, err := g.call(arguments)
	if err != nil {
		return err
	}
	switch answer[0] {
	case "accepted":
		if len(answer) != 2 {
			return ErrNotReady
		}
		accepted, err := strconv.ParseUint(answer[1], 10, 64)
		g.mu.Lock()
		g.accepted = max(g.accepted, accepted)
		g.mu.Unlock()
		return err
	case "replayed", "forgotten":
		return cortexkey.VerdictReplayed
	default: // starting, join, replica: the next poll resolves it
		return ErrNotReady
	}
}

func (g *Guard) keepPolling() {
	defer g.done.Done()
	for {
		select {
		case <-g.stop:
			return
		case <-time.After(pollInterval):
		}
		// After a failure, every request is refused until a poll succeeds.
		if g.poll() != nil {
			g.mu.Lock()
			g.goodUntil = time.Time{}
			g.mu.Unlock()
		}
	}
}

// poll checks the server, announces this member's range and learns those of the other members.
func (g *Guard) poll() error {
	began := time.Now()
	memory, err := g.server.call("INFO", "memory")
	if err != nil {
		return err
	}
	if !strings.Contains(memory[0], "\nmaxmemory_policy:noeviction\r") {
		return fmt.Errorf("%w: set maxmemory-policy noeviction", ErrNotReady)
	}
	g.mu.Lock()
	arguments := append(g.arguments("look"), g.member, strconv.FormatInt(began.UnixMilli(), 10),
		strconv.FormatInt(g.skew.Milliseconds(), 10), g.known.widest, chance(), g.known.taken.String())
	g.mu.Unlock()
	answer, err := g.call(arguments)
	if err != nil {
		return err
	}
	if len(answer) != 6 || answer[0] != "looked" {
		return fmt.Errorf("%w: %s", ErrNotReady, answer[0])
	}
	accepted, err := strconv.ParseUint(answer[3], 10, 64)
	if err != nil {
		return err
	}
	taken, err := parse(answer[5])
	if err != nil {
		return err
	}
	learned := known{generation: answer[1], id: answer[2], widest: answer[4], taken: taken}
	if err := g.save(learned); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if learned.id != g.known.id {
		g.accepted, g.noted, g.usable = 0, nil, nil
	}
	g.accepted = max(g.accepted, accepted)
	g.known = learned
	g.age()
	g.noted = append(g.noted, notedRanges{at: time.Now(), taken: taken})
	g.goodUntil = began.Add(pollValid)
	return nil
}

// age makes ranges usable that were noted long enough ago. The caller holds the lock.
func (g *Guard) age() {
	for len(g.noted) > 0 && time.Since(g.noted[0].at) > notice {
		g.usable, g.noted = g.noted[0].taken, g.noted[1:]
	}
}

func (g *Guard) arguments(call string) []string {
	return []string{call, g.known.generation, g.known.id, strconv.FormatUint(g.accepted, 10)}
}

func (g *Guard) call(arguments []string) ([]string, error) {
	sum := sha1.Sum([]byte(script))
	command := append([]string{"EVALSHA", hex.EncodeToString(sum[:]), "3"}, keys...)
	answer, err := g.server.call(append(command, arguments...)...)
	if err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
		if _, err := g.server.call("SCRIPT", "LOAD", script); err != nil {
			return nil, err
		}
		answer, err = g.server.call(append(command, arguments...)...)
	}
	if err == nil && len(answer) == 0 {
		err = ErrNotReady
	}
	return answer, err
}

// load reads the state of an earlier process.
func (g *Guard) load() error {
	text, err := os.ReadFile(g.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	parts := strings.Split(strings.TrimSuffix(string(text), "\n"), " ")
	if len(parts) != 4 {
		return fmt.Errorf("%s is damaged: restore it, or stop all requests for a day and then remove it", g.file)
	}
	taken, err := parse(parts[3])
	g.known = known{generation: parts[0], id: parts[1], widest: parts[2], taken: taken}
	return err
}

// save replaces the file, and returns once it is on the disk.
func (g *Guard) save(learned known) error {
	text := strings.Join([]string{learned.generation, learned.id, learned.widest, learned.taken.String()}, " ")
	file, err := os.CreateTemp(filepath.Dir(g.file), ".replay-guard-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(text + "\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), g.file)
}

// ranges are disjoint ranges of timestamps, inclusive at both ends.
type ranges [][2]int64

func parse(text string) (ranges, error) {
	var all ranges
	if text == "" {
		return all, nil
	}
	for _, part := range strings.Split(text, ",") {
		var one [2]int64
		if _, err := fmt.Sscanf(part, "%d-%d", &one[0], &one[1]); err != nil {
			return nil, fmt.Errorf("a range of timestamps: %w", err)
		}
		all = append(all, one)
	}
	return all, nil
}

func (r ranges) String() string {
	parts := make([]string, len(r))
	for at, one := range r {
		parts[at] = fmt.Sprintf("%d-%d", one[0], one[1])
	}
	return strings.Join(parts, ",")
}

func (r ranges) contain(timestamp int64) bool {
	for _, one := range r {
		if one[0] <= timestamp && timestamp <= one[1] {
			return true
		}
	}
	return false
}

func chance() string {
	var bytes [8]byte
	_, _ = rand.Read(bytes[:]) // it never fails
	return hex.EncodeToString(bytes[:])
}
