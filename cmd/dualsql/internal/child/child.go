package child

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
)

// Serve is called first in a working process. It reads the job, and returns a context that ends when the parent asks the
// process to stop. When the parent is gone the process ends, with exit code 1.
func Serve(in io.Reader, job any) (ctx context.Context, stop context.CancelFunc, err error) {
	signal.Ignore(os.Interrupt) // the parent gets it too, and decides
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, job)
	}
	if err != nil {
		return nil, nil, err
	}
	ctx, stop = context.WithCancel(context.Background())
	go func() {
		if line, _ := lines.ReadString('\n'); strings.TrimSpace(line) == stopLine {
			stop()
			return
		}
		os.Exit(1)
	}()
	return ctx, stop, nil
}

// Voice is how a working process speaks. It is safe for concurrent use.
type Voice struct {
	mu  sync.Mutex
	out io.Writer
}

// NewVoice speaks to out.
func NewVoice(out io.Writer) *Voice { return &Voice{out: out} }

// Say writes one line in one write: a killed process leaves no half line of an acknowledgement.
func (v *Voice) Say(words ...string) {
	line := strings.ReplaceAll(strings.Join(words, " "), "\n", " ") + "\n"
	v.mu.Lock()
	defer v.mu.Unlock()
	_, _ = io.WriteString(v.out, line) // without a reader there is no parent, and the input has ended too
}
