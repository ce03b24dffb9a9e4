package cortexkey

// The source of a transport's signer: a fixed one, or one that changes when a key is rotated.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SignerSource returns the signer for the next attempt. It is called for each attempt, by any goroutine, so it
// should cache the signer. It may close a signer that it has replaced: a transport calls it again if the signer
// that it got is closed.
type SignerSource interface {
	Signer(ctx context.Context) (*Signer, error)
}

// Signer returns the signer itself, which is a [SignerSource] that never changes.
func (s *Signer) Signer(context.Context) (*Signer, error) {
	if s == nil {
		return nil, s.closed()
	}
	return s, nil
}

// SignerFunc adapts a function to a [SignerSource].
type SignerFunc func(ctx context.Context) (*Signer, error)

// Signer calls the function.
func (f SignerFunc) Signer(ctx context.Context) (*Signer, error) {
	if f == nil {
		return nil, fmt.Errorf("%w: SignerFunc", ErrNil)
	}
	return f(ctx)
}

// FileSource is a [SignerSource] that follows a file: after the file changes, attempts are signed with its new
// key. Any number of goroutines may use it at once.
type FileSource struct {
	path  string
	parse func(contents []byte) (*Signer, error)
	log   func(error)

	mu     sync.Mutex
	signer *Signer     // nil once closed
	info   os.FileInfo // of the file that was read last
	next   time.Time   // when the file is checked again
}

const (
	// fileInterval is the shortest time between two checks of the file.
	fileInterval = time.Second
	// fileSettled is the age from which a file counts as completely written.
	fileSettled   = 3 * time.Second
	fileBytesMax  = 64 << 10
	fileKeyName   = "CORTEXKEY_API_KEY"
	fileIDName    = "CORTEXKEY_API_KEY_ID"
	fileLevelName = "CORTEXKEY_API_KEY_TYPE"
)

// NewFileSource reads a file and returns a source that checks the file at most once a second, when
// requests are sent. Links are followed, so a mounted secret may be replaced atomically. If parse
// is nil, it is [ParseKeyFile].
//
// If the new contents cannot be read, for example because the file is half written, the previous key stays in
// use, and log is called with the error if it is not nil. The error contains no key, unless parse adds one.
func NewFileSource(path string, parse func(contents []byte) (*Signer, error), log func(error)) (*FileSource, error) {
	if parse == nil {
		parse = func(contents []byte) (*Signer, error) { return ParseKeyFile(contents) }
	}
	if log == nil {
		log = func(error) {}
	}
	f := &FileSource{path: path, parse: parse, log: log}
	if err := f.read(); err != nil {
		return nil, err
	}
	f.next = time.Now().Add(fileInterval)
	return f, nil
}

// Signer returns a signer with the file's key.
func (f *FileSource) Signer(context.Context) (*Signer, error) {
	if f == nil {
		return nil, fmt.Errorf("%w: *FileSource; NewFileSource returns one", ErrNil)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signer == nil {
		return nil, fmt.Errorf("%w: the source of %s", ErrClosed, f.path)
	}
	if now := time.Now(); !now.Before(f.next) {
		f.next = now.Add(fileInterval)
		if err := f.read(); err != nil {
			f.log(err)
		}
	}
	return f.signer, nil
}

// Close closes the signer. Closing again does nothing.
func (f *FileSource) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	signer := f.signer
	f.signer = nil
	return signer.Close()
}

// read reads the file if it changed since it was last read.
func (f *FileSource) read() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a regular file", ErrKeyFile, f.path)
	}
	if f.info != nil && os.SameFile(f.info, info) && f.info.ModTime().Equal(info.ModTime()) && f.info.Size() == info.Size() {
		return nil
	}
	contents, err := readAtMost(f.path, fileBytesMax)
	defer clear(contents)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	signer, err := f.parse(contents)
	if err == nil && signer == nil {
		err = fmt.Errorf("%w: parse returned no signer", ErrNil)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKeyFile, f.path, err)
	}
	_ = f.signer.Close() // waits for goroutines that are signing
	f.signer, f.info = signer, info
	if time.Since(info.ModTime()) < fileSettled {
		// Read it again next time: it may still be written to, and a file system with coarse timestamps
		// would not show that.
		f.info = nil
	}
	return nil
}

func readAtMost(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	contents, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(contents)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return contents, err
}

// ParseKeyFile returns a signer for the key in a file with its id and level: the lines
// CORTEXKEY_API_KEY_ID=7, CORTEXKEY_API_KEY_TYPE=advanced and CORTEXKEY_API_KEY=…, as in the
// environment of the command-line tool, or a JSON object with these names and strings as values.
// Other names are ignored. An error is [ErrKeyFile], or the error of [NewSigner], and contains no
// key.
func ParseKeyFile(contents []byte, opts ...Option) (*Signer, error) {
	values, err := keyFileValues(contents)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{fileIDName, fileLevelName, fileKeyName} {
		if values[name] == "" {
			return nil, fmt.Errorf("%w: %s is missing", ErrKeyFile, name)
		}
	}
	keyID, err := strconv.ParseUint(values[fileIDName], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not a number", ErrKeyFile, fileIDName)
	}
	level, err := ParseLevel(values[fileLevelName])
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKeyFile, fileLevelName, err)
	}
	return NewSigner(keyID, level, values[fileKeyName], opts...)
}

func keyFileValues(contents []byte) (map[string]string, error) {
	values := map[string]string{}
	if bytes.HasPrefix(bytes.TrimSpace(contents), []byte("{")) {
		// The decoder's errors may repeat a value.
		if json.Unmarshal(contents, &values) != nil {
			return nil, fmt.Errorf("%w: it is not a JSON object of strings", ErrKeyFile)
		}
		return values, nil
	}
	line := 0
	for text := range strings.Lines(string(contents)) {
		line++
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("%w: line %d is not NAME=value", ErrKeyFile, line)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("%w: line %d sets a name again", ErrKeyFile, line)
		}
		values[name] = value
	}
	return values, nil
}
