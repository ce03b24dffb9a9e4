package redisguard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const answerTime = 500 * time.Millisecond

// bulkMax is more than any reply of the script or of INFO.
const bulkMax = 1 << 20

// server is a connection to Redis or Valkey. It reconnects after an error, and runs one call at a time.
type server struct {
	address string
	mu      sync.Mutex
	conn    net.Conn
	reader  *bufio.Reader
}

// call sends a command and returns the reply as a list of strings.
func (s *server) call(words ...string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		conn, err := net.DialTimeout("tcp", s.address, answerTime)
		if err != nil {
			return nil, err
		}
		s.conn, s.reader = conn, bufio.NewReader(conn)
	}
	answer, err := s.exchange(words)
	var refused refusal
	if err != nil && !errors.As(err, &refused) {
		_ = s.conn.Close()
		s.conn = nil
	}
	return answer, err
}

// refusal is an error reply of the server.
type refusal string

func (r refusal) Error() string { return string(r) }

func (s *server) exchange(words []string) ([]string, error) {
	if err := s.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	var command strings.Builder
	fmt.Fprintf(&command, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(s.conn, command.String()); err != nil {
		return nil, err
	}
	line, err := s.line()
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(line, "*") {
		text, err := s.text(line)
		return []string{text}, err
	}
	count, err := strconv.Atoi(line[1:])
	if err != nil || count < 0 || count > 16 {
		return nil, fmt.Errorf("the server answers with a list of %s", line[1:])
	}
	list := make([]string, count)
	for at := range list {
		if line, err = s.line(); err != nil {
			return nil, err
		}
		if list[at], err = s.text(line); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *server) text(line string) (string, error) {
	switch {
	case strings.HasPrefix(line, "+"), strings.HasPrefix(line, ":"):
		return line[1:], nil
	case strings.HasPrefix(line, "-"):
		return "", refusal(line[1:])
	case strings.HasPrefix(line, "$"):
		size, err := strconv.Atoi(line[1:])
		if err != nil || size < 0 || size > bulkMax {
			return "", fmt.Errorf("the server answers with %s bytes", line[1:])
		}
		bytes := make([]byte, size+2)
		if _, err := io.ReadFull(s.reader, bytes); err != nil {
			return "", err
		}
		return string(bytes[:size]), nil
	default:
		return "", errors.New("the server does not answer as Redis does")
	}
}

func (s *server) line() (string, error) {
	line, err := s.reader.ReadString('\n')
	return strings.TrimSuffix(line, "\r\n"), err
}
