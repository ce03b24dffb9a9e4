package replay

// Compares the guard with a map with exact expiry, for many ways of choosing timestamps. Also tests
// keys that try to fill the guard, concurrency, and memory.

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/cortexkey/cortexkey/go/internal/backend"
	"github.com/cortexkey/cortexkey/go/internal/verdict"
)

const startMS = 1_790_611_732_512

func newGuard(options backend.GuardOptions) *Guard {
	return New(options, [2]uint64{0x0123_4567_89ab_cdef ^ uint64(options.Entries), 0xfedc_ba98_7654_3210})
}

// tagOf returns a pseudo-random tag, a different one for each number.
func tagOf(number uint64) (tag [16]byte) {
	binary.LittleEndian.PutUint64(tag[:8], spread(2*number))
	binary.LittleEndian.PutUint64(tag[8:], spread(2*number+1))
	return tag
}

func spread(number uint64) uint64 {
	number += golden
	number = (number ^ number>>30) * 0xbf58_476d_1ce4_e5b9
	number = (number ^ number>>27) * 0x94d0_49bb_1331_11eb
	return number ^ number>>31
}

// model is a guard that consists of a map and has exact expiry.
type model struct {
	timestamps map[uint64]uint64 // by the number of the use
	byTime     map[uint64][]uint64
	markMS     uint64
}

func (m *model) raise(nowMS, skewMS uint64) {
	markMS := (nowMS - skewMS) / markStepMS * markStepMS
	if markMS <= m.markMS {
		return
	}
	if len(m.byTime) < int(min(markMS-m.markMS, math.MaxInt32)) {
		for ms := range m.byTime {
			if ms < markMS {
				m.drop(ms)
			}
		}
	} else {
		for ms := m.markMS; ms < markMS; ms++ {
			m.drop(ms)
		}
	}
	m.markMS = markMS
}

func (m *model) drop(ms uint64) {
	for _, number := range m.byTime[ms] {
		delete(m.timestamps, number)
	}
	delete(m.byTime, ms)
}

func (m *model) insert(number, ms uint64) {
	m.timestamps[number] = ms
	m.byTime[ms] = append(m.byTime[ms], number)
}

// stream chooses clocks and timestamps.
type stream struct {
	nowMS, skewMS, entries, chance, step, instantMS uint64
}

func (s *stream) below(end uint64) uint64 {
	s.chance = spread(s.chance)
	return s.chance % max(end, 1)
}

// A way returns a timestamp within the window; if the guard is full, it first advances the clock.
var ways = map[string]func(s *stream, isFull bool) uint64{
	"steady": func(s *stream, isFull bool) uint64 { s.tick(isFull); return s.nowMS },
	"jitter": func(s *stream, isFull bool) uint64 {
		s.tick(isFull)
		return s.nowMS + s.below(s.skewMS/8) - s.skewMS/16
	},
	"uniform":     func(s *stream, isFull bool) uint64 { s.tick(isFull); return s.anywhere() },
	"future edge": func(s *stream, isFull bool) uint64 { s.tick(isFull); return s.nowMS + s.skewMS },
	"past edge":   func(s *stream, isFull bool) uint64 { s.tick(isFull); return s.nowMS - s.skewMS },
	"sawtooth": func(s *stream, isFull bool) uint64 {
		s.tick(isFull)
		return s.nowMS - s.skewMS + s.step*7%(2*s.skewMS+1)
	},
	"one instant": func(s *stream, isFull bool) uint64 {
		if isFull {
			s.nowMS = s.instantMS + s.skewMS + markStepMS + 1 + s.below(2*s.skewMS)
			s.instantMS = s.anywhere()
		}
		return s.instantMS
	},
	"two instants": func(s *stream, isFull bool) uint64 {
		if isFull {
			s.nowMS = s.instantMS + s.skewMS + markStepMS + 1
			s.instantMS = s.nowMS + s.skewMS
		}
		if s.below(2) == 0 {
			return s.nowMS - s.skewMS
		}
		return s.instantMS
	},
	"jumping clock": func(s *stream, isFull bool) uint64 {
		if isFull {
			s.nowMS += s.below(6 * s.skewMS)
		} else if s.below(2000) == 0 {
			s.nowMS += s.below(6*s.skewMS) - 2*s.skewMS
		}
		return s.anywhere()
	},
	"comb": func(s *stream, isFull bool) uint64 {
		if s.step%1000 == 0 || isFull {
			s.nowMS += s.skewMS/64 + 1
		}
		return s.nowMS
	},
	"long idle": func(s *stream, isFull bool) uint64 {
		if isFull {
			pauses := []uint64{
				2*s.skewMS + 17, 2_097_152 - s.skewMS, 2_097_152, 2_097_152 + s.skewMS/2, 4 * 2_097_152,
				260_000 + s.skewMS, 1_100_000, 34 * 365 * 86_400_000,
			}
			s.nowMS += pauses[s.below(uint64(len(pauses)))]
		}
		return s.nowMS + s.skewMS
	},
}

func (s *stream) tick(isFull bool) {
	if isFull || s.step%max(s.entries/s.skewMS, 1) == 0 {
		s.nowMS++
	}
}

func (s *stream) anywhere() uint64 { return s.nowMS - s.skewMS + s.below(2*s.skewMS+1) }

// asks is the number of uses per way; an environment variable sets it for a longer test.
func asks(t *testing.T) int {
	count, err := strconv.Atoi(os.Getenv("CORTEXKEY_GUARD_ASKS"))
	if err != nil {
		return 60_000
	}
	t.Log(count, "asks")
	return count
}

func TestAsAMap(t *testing.T) {
	for name, way := range ways {
		for _, options := range []backend.GuardOptions{
			{Entries: 1, SkewMS: 1000}, {Entries: 100, SkewMS: 1000}, {Entries: 20_000, SkewMS: 60_000},
			{Entries: 10_000, SkewMS: 300_000, UsesPerKey: math.MaxUint32, Keys: 50},
		} {
			t.Run(fmt.Sprintf("%s %d %d", name, options.Entries, options.Keys), func(t *testing.T) {
				t.Parallel()
				compare(t, options, way)
			})
		}
	}
}

// compare compares the results of guard and model. They are equal, and up to the guard's entries no
// use is refused as full.
func compare(t *testing.T, options backend.GuardOptions, way func(*stream, bool) uint64) {
	g := newGuard(options)
	m := &model{timestamps: map[uint64]uint64{}, byTime: map[uint64][]uint64{}}
	s := &stream{nowMS: startMS, skewMS: options.SkewMS, entries: uint64(options.Entries), chance: 7, instantMS: startMS}
	type use struct{ number, ms uint64 }
	var past []use
	number := uint64(0)
	answers := map[int32]int{}
	for range asks(t) {
		s.step++
		u := use{ms: way(s, len(m.timestamps) >= options.Entries)}
		m.raise(s.nowMS, s.skewMS)
		isFull := len(m.timestamps) >= options.Entries
		if len(past) > 0 && (isFull || s.below(4) == 0) {
			// An earlier use that is still within the window, or one that has long expired.
			if u = past[s.below(uint64(len(past)))]; u.ms > s.nowMS+s.skewMS {
				continue
			}
		} else {
			number++
			u.number = number
		}
		want := int32(verdict.Accept)
		if _, isKnown := m.timestamps[u.number]; u.ms < m.markMS {
			want = verdict.TimestampStale
		} else if isKnown {
			want = verdict.Replayed
		} else if isFull {
			continue
		}
		got := g.Remember(&Use{KeyID: 1 + u.number%50, TimestampMS: u.ms, SkewMS: s.skewMS, NowMS: s.nowMS, Tag: tagOf(u.number)})
		if got != want {
			t.Fatalf("ask %d: got %d, want %d; %d live, mark %d, now %d, %+v", s.step, got, want, len(m.timestamps), m.markMS, s.nowMS, u)
		}
		answers[got]++
		if got == verdict.Accept {
			m.insert(u.number, u.ms)
			if len(past) < 20_000 {
				past = append(past, u)
			} else {
				past[s.below(20_000)] = u
			}
		}
	}
	if got := g.table.live(); got != len(m.timestamps) {
		t.Errorf("%d live, want %d", got, len(m.timestamps))
	}
	if answers[verdict.Accept] == 0 || answers[verdict.Replayed] == 0 && options.Entries > 1 {
		t.Errorf("the answers were %v only", answers)
	}
}

// Any number of uses up to the entries is accepted at one instant, anywhere in the window, and each
// of them only once.
func TestBurstsOfAllEntries(t *testing.T) {
	for _, entries := range []int{1, 1000, 100_000} {
		for _, offset := range []int64{-59_990, 0, 60_000} {
			g := newGuard(backend.GuardOptions{Entries: entries, SkewMS: 60_000})
			u := Use{KeyID: 7, TimestampMS: uint64(startMS + offset), SkewMS: 60_000, NowMS: startMS}
			for _, want := range []int32{verdict.Accept, verdict.Replayed} {
				for number := range entries {
					u.Tag = tagOf(uint64(number))
					if got := g.Remember(&u); got != want {
						t.Fatalf("%d entries, use %d: got %d, want %d", entries, number, got, want)
					}
				}
			}
			// A full guard refuses further uses, and remembers those that it has.
			isFull := false
			for number := 0; number < 3*entries && !isFull; number++ {
				u.Tag = tagOf(uint64(entries + number))
				isFull = g.Remember(&u) == verdict.ReplayGuardFull
			}
			if entries >= 10_000 && !isFull {
				t.Errorf("%d entries: never full", entries)
			}
			u.Tag = tagOf(0)
			if got := g.Remember(&u); got != verdict.Replayed {
				t.Error(got)
			}
		}
	}
}

func TestARestart(t *testing.T) {
	const skewMS = 1001
	ask := func(g *Guard, number, ms, nowMS, createdMS uint64) int32 {
		return g.Remember(&Use{KeyID: 7, CreatedMS: createdMS, TimestampMS: ms, SkewMS: skewMS, NowMS: nowMS, Tag: tagOf(number)})
	}
	for _, ms := range []uint64{startMS - skewMS, startMS - 500, startMS, startMS + skewMS} {
		for _, started := range []uint64{0, 1, 500, 1001, 1002, 2002} {
			g := newGuard(backend.GuardOptions{Entries: 1000, SkewMS: skewMS, StartedMS: startMS + started})
			for _, asked := range []uint64{0, 1, 500, 1001, 2002, 2003} {
				nowMS := startMS + started + asked
				if ms+skewMS < nowMS {
					continue
				}
				if got := ask(g, 1, ms, nowMS, 0); got != verdict.ReplayGuardStarting {
					t.Errorf("%d %d %d: %d", ms, started, asked, got)
				}
			}
		}
	}
	g := newGuard(backend.GuardOptions{Entries: 1000, SkewMS: skewMS, StartedMS: startMS})
	for _, test := range []struct {
		number, ms, nowMS, createdMS uint64
		want                         int32
	}{
		{2, startMS + skewMS + 1, startMS + skewMS + 1, 0, verdict.Accept},
		{2, startMS + skewMS + 1, startMS + skewMS + 1, 0, verdict.Replayed},
		{3, startMS, startMS, startMS, verdict.Accept},
		{4, startMS + skewMS, startMS, startMS, verdict.Accept},
		{4, startMS + skewMS, startMS, startMS, verdict.Replayed},
		{5, startMS + skewMS + 1, startMS, 0, verdict.ReplayGuardUnavailable},
	} {
		if got := ask(g, test.number, test.ms, test.nowMS, test.createdMS); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
	large := Use{KeyID: 7, TimestampMS: startMS, SkewMS: skewMS + 1, NowMS: startMS}
	if got := g.Remember(&large); got != verdict.ReplayGuardUnavailable {
		t.Error(got)
	}
}

// hostile are timestamps that a key may choose to fill the guard for others.
var hostile = []func(nowMS, number uint64) uint64{
	func(nowMS, _ uint64) uint64 { return nowMS },
	func(nowMS, _ uint64) uint64 { return nowMS + 60_000 },
	func(nowMS, _ uint64) uint64 { return nowMS - 60_000 + markStepMS },
	func(nowMS, number uint64) uint64 { return nowMS - 60_000 + markStepMS + spread(number)%119_000 },
	func(nowMS, number uint64) uint64 { return nowMS - 60_000 + markStepMS + number%2*119_984 },
}

func TestOneHostileKey(t *testing.T) {
	const entries, quota = 20_000, 10_000
	for way, timestamp := range hostile {
		g := newGuard(backend.GuardOptions{Entries: entries, SkewMS: 60_000, UsesPerKey: quota, Keys: 1000})
		number, accepted := uint64(0), 0
		for other := range uint64(entries - quota) {
			for range 4 {
				number++
				u := Use{KeyID: 1, TimestampMS: timestamp(startMS, number), SkewMS: 60_000, NowMS: startMS, Tag: tagOf(number)}
				switch got := g.Remember(&u); got {
				case verdict.Accept:
					accepted++
				case verdict.ReplayGuardQuota:
				default:
					t.Fatalf("way %d: %d", way, got)
				}
			}
			number++
			u := Use{KeyID: 2 + other%900, TimestampMS: startMS, SkewMS: 60_000, NowMS: startMS, Tag: tagOf(number)}
			if got := g.Remember(&u); got != verdict.Accept {
				t.Fatalf("way %d, other %d: %d", way, other, got)
			}
		}
		if accepted != quota {
			t.Errorf("way %d: %d accepted of the hostile key", way, accepted)
		}
		// After a window and a slice, its full quota is available again.
		nowMS := uint64(startMS + 2*60_000 + 12_000 + 100)
		for range quota {
			number++
			u := Use{KeyID: 1, TimestampMS: nowMS, SkewMS: 60_000, NowMS: nowMS, Tag: tagOf(number)}
			if got := g.Remember(&u); got != verdict.Accept {
				t.Fatalf("way %d: %d", way, got)
			}
		}
	}
}

// Many keys together fill the guard beyond its entries, and continue while the others use their
// guaranteed shares.
func TestManyHostileKeys(t *testing.T) {
	for _, size := range []struct{ entries, keys int }{{2000, 100}, {20_000, 500}} {
		for way, timestamp := range hostile {
			g := newGuard(backend.GuardOptions{Entries: size.entries, SkewMS: 60_000, UsesPerKey: math.MaxUint32, Keys: size.keys})
			number, refused := uint64(0), 0
			attack := func() bool {
				number++
				u := Use{KeyID: 1 + number%uint64(size.keys/10), TimestampMS: timestamp(startMS, number), SkewMS: 60_000, NowMS: startMS, Tag: tagOf(number)}
				return g.Remember(&u) == verdict.Accept
			}
			for refused < size.entries/4 {
				if !attack() {
					refused++
				}
			}
			if g.GuaranteedUsesPerKey() < size.entries/8/size.keys {
				t.Fatalf("only %d are guaranteed", g.GuaranteedUsesPerKey())
			}
			for key := uint64(size.keys/10 + 1); key <= uint64(size.keys); key++ {
				for range g.GuaranteedUsesPerKey() {
					attack()
					number++
					u := Use{KeyID: key, TimestampMS: startMS - 59_900 + spread(number)%119_900, SkewMS: 60_000, NowMS: startMS, Tag: tagOf(number)}
					if got := g.Remember(&u); got != verdict.Accept {
						t.Fatalf("%+v, way %d, key %d: %d", size, way, key, got)
					}
				}
			}
			number++
			beyond := Use{KeyID: uint64(size.keys) * 100, TimestampMS: startMS, SkewMS: 60_000, NowMS: startMS, Tag: tagOf(number)}
			_ = g.Remember(&beyond) // one key more than there are places for is no panic
		}
	}
}

// Goroutines present the same uses while the clock of one of them jumps: each use is accepted at
// most once, and exactly once if the clocks agree. Small guards make searches long.
func TestGoroutines(t *testing.T) {
	for _, options := range []backend.GuardOptions{
		{Entries: 1, SkewMS: 1000}, {Entries: 5000, SkewMS: 1000}, {Entries: 5000, SkewMS: 1000, UsesPerKey: 100_000, Keys: 7},
	} {
		for _, isJumping := range []bool{false, true} {
			g := newGuard(options)
			const uses = 5000
			var accepted [uses]atomic.Int32
			var all sync.WaitGroup
			for worker := range uint64(8) {
				all.Add(1)
				go func() {
					defer all.Done()
					for i := range uint64(uses) {
						// Each goroutine starts at a different use, so that they meet.
						number := (i + worker%2*uses/2) % uses
						u := Use{KeyID: 1 + number%7, TimestampMS: startMS + number%3*500, SkewMS: 1000, NowMS: startMS, Tag: tagOf(number)}
						if isJumping && i%100 == 0 {
							u.NowMS += 10 * i
							u.TimestampMS = max(u.TimestampMS, u.NowMS)
						}
						if g.Remember(&u) == verdict.Accept {
							accepted[number].Add(1)
						}
					}
				}()
			}
			all.Wait()
			for number := range accepted {
				got := accepted[number].Load()
				if !isJumping && got != 1 || isJumping && number%100 != 0 && got > 1 {
					t.Fatalf("%+v, jumping %v: use %d was accepted %d times", options, isJumping, number, got)
				}
			}
		}
	}
}

// If two uses are equal and their first line is full, the second waits for the search of the first.
// The test stops the first in the middle of its search, by locking the count of its key.
func TestEqualUsesBehindAFullLine(t *testing.T) {
	for _, isPassed := range []bool{false, true} {
		g := newGuard(backend.GuardOptions{Entries: 1, SkewMS: 1000, UsesPerKey: 100, Keys: 1})
		g.table.lines = g.table.lines[:64]
		use := func(number uint64) *Use {
			return &Use{KeyID: 7, TimestampMS: startMS, SkewMS: 1000, NowMS: startMS, Tag: tagOf(number)}
		}
		first := func(number uint64) *line {
			u := use(number)
			s := g.table.spot(g.hash(&u.Tag), u.TimestampMS)
			return g.table.line(&s, 0)
		}
		// Uses with the same first line: those that fill it, one that goes past it, and one more.
		var meeting []uint64
		for number := uint64(0); len(meeting) < slots+2; number++ {
			if first(number) == first(0) {
				meeting = append(meeting, number)
			}
		}
		filling := meeting[:slots-1]
		if isPassed {
			filling = meeting[:slots+1]
		}
		for _, number := range filling {
			if got := g.Remember(use(number)); got != verdict.Accept {
				t.Fatal(got)
			}
		}
		place, _ := g.counts.find(7)
		held := &g.counts.places[place].oldest
		value := held.lock(0)
		answers := make(chan int32, 2)
		for range 2 {
			go func() { answers <- g.Remember(use(meeting[slots+1])) }()
		}
		time.Sleep(20 * time.Millisecond) // so that both have gone as far as they can
		held.unlock(value)
		if a, b := <-answers, <-answers; min(a, b) != verdict.Replayed || max(a, b) != verdict.Accept {
			t.Errorf("passed %v: %d and %d", isPassed, a, b)
		}
	}
}

func TestMemory(t *testing.T) {
	if size := unsafe.Sizeof(line{}); size != 64 {
		t.Errorf("a line has %d bytes", size)
	}
	if size := unsafe.Sizeof(count{}); size != 64 {
		t.Errorf("a count has %d bytes", size)
	}
	for entries := 1; entries < 100_000_000; entries += entries/97 + 1 {
		if bytes := linesFor(entries) * 64; bytes > 20*max(entries, 40_000) {
			t.Fatalf("%d entries: %d bytes", entries, bytes)
		}
	}
	g := newGuard(backend.GuardOptions{Entries: 1000, SkewMS: 60_000, UsesPerKey: 10, Keys: 10})
	number := uint64(0)
	allocations := testing.AllocsPerRun(5000, func() {
		number++
		g.Remember(&Use{KeyID: 1 + number%10, TimestampMS: startMS, SkewMS: 60_000, NowMS: startMS, Tag: tagOf(number)})
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkSteady(b *testing.B) {
	for _, entries := range []int{1000, 100_000, 1_000_000} {
		for _, keys := range []int{0, 100} {
			b.Run(fmt.Sprintf("%d entries, %d keys", entries, keys), func(b *testing.B) {
				options := backend.GuardOptions{Entries: entries, SkewMS: 60_000, Keys: keys}
				if keys > 0 {
					options.UsesPerKey = math.MaxUint32
				}
				g := newGuard(options)
				perMS := uint64(max(entries/60_000, 1))
				number := uint64(0)
				for b.Loop() {
					number++
					nowMS := startMS + number/perMS
					g.Remember(&Use{KeyID: 1 + number%100, TimestampMS: nowMS, SkewMS: 60_000, NowMS: nowMS, Tag: tagOf(number)})
				}
			})
		}
	}
}
