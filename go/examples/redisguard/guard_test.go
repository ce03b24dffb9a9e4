package redisguard

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cortexkey "github.com/cortexkey/cortexkey/go"
)

const skew = time.Second

// start starts a redis-server on a free port.
func start(t *testing.T) string {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not installed; cargo xtask test installs it")
	}
	for range 20 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		listener.Close()
		_, port, _ := net.SplitHostPort(address)
		server := exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
		for range 200 {
			if conn, err := net.Dial("tcp", address); err == nil {
				conn.Close()
				return address
			}
			time.Sleep(25 * time.Millisecond)
		}
	}
	t.Fatal("redis-server does not listen")
	return ""
}

func member(t *testing.T, address, file string) *Guard {
	guard, err := Open(address, file, skew)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

// accepted waits until a guard accepts a new use, and returns it.
func accepted(t *testing.T, guard *Guard) ([16]byte, time.Time) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var tag [16]byte
		copy(tag[:], chance()+chance())
		until := time.Now().Add(skew)
		if guard.Remember(context.Background(), tag, until) == nil {
			return tag, until
		}
	}
	t.Fatal("nothing is accepted")
	return [16]byte{}, time.Time{}
}

func TestAUseIsAcceptedOnceByAllMembers(t *testing.T) {
	address, folder := start(t), t.TempDir()
	guards := []*Guard{member(t, address, filepath.Join(folder, "a")), member(t, address, filepath.Join(folder, "b"))}
	for _, guard := range guards {
		defer guard.Close()
		accepted(t, guard)
	}
	for round := range 50 {
		var tag [16]byte
		copy(tag[:], chance()+chance())
		until, count := time.Now().Add(skew), atomic.Int32{}
		var all sync.WaitGroup
		for at := range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				if guards[at%2].Remember(context.Background(), tag, until) == nil {
					count.Add(1)
				}
			}()
		}
		all.Wait()
		if count.Load() != 1 {
			t.Fatalf("round %d: accepted %d times", round, count.Load())
		}
	}
}

func TestEvictedUsesAreNotAcceptedAgain(t *testing.T) {
	address, file := start(t), filepath.Join(t.TempDir(), "known")
	guard := member(t, address, file)
	tag, until := accepted(t, guard)
	if _, err := guard.server.call("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if guard.Remember(context.Background(), tag, until) == nil {
			t.Fatal("accepted again after the server lost its data")
		}
		time.Sleep(100 * time.Millisecond)
	}
	guard.Close()
	// Another process, which reads the file, refuses it too.
	guard = member(t, address, file)
	defer guard.Close()
	accepted(t, guard)
	if err := guard.Remember(context.Background(), tag, until); err == nil || errors.Is(err, cortexkey.VerdictAccept) {
		t.Fatal("accepted again by a process that read the file")
	}
}
