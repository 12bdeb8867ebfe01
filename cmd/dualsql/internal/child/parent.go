// Package child runs this command again as a working process, to be killed: its job goes in as JSON on its standard input,
// what it says comes out line by line on its standard output.
package child

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
)

// stopLine on a child's standard input asks it to end in good order. The end of the input means that the parent is gone.
const stopLine = "stop"

// Process is a working process. Its methods are safe for concurrent use.
type Process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}
	err   error // how it ended; set when ended is closed
}

// Start starts this executable with one argument and gives it the job: a job may hold passwords, which must not stand on a
// command line. heard gets each line that the process prints, one at a time, also those that it printed before it was
// killed.
func Start(arg string, job any, stderr io.Writer, heard func(line string)) (*Process, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	first, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(executable, arg), ended: make(chan struct{})}
	p.cmd.Stderr = stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			heard(s.Text())
		}
		p.err = p.cmd.Wait()
	}()
	if _, err := p.in.Write(append(first, '\n')); err != nil {
		p.Kill()
		return nil, errors.Join(err, p.err)
	}
	return p, nil
}

// Ended is closed when the process has ended and all that it had said has been heard.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err returns how a process has ended: nil for exit code 0.
func (p *Process) Err() error {
	<-p.ended
	return p.err
}

// Stop asks the process to end in good order.
func (p *Process) Stop() error {
	_, err := io.WriteString(p.in, stopLine+"\n")
	return err
}

// Kill kills the process with SIGKILL (on Windows TerminateProcess), and returns when it has ended. It reports whether that
// was what ended it.
func (p *Process) Kill() bool {
	killed := p.cmd.Process.Kill() == nil
	<-p.ended
	// Windows knows no signals: there a killed process has an exit code.
	return killed && (runtime.GOOS == "windows" || !p.cmd.ProcessState.Exited())
}
