package wal

import (
	"fmt"
	"runtime"
)

// Append hands r to the operating system, behind all earlier records, and returns its segment. The record then
// survives the death of the process, but not yet a power loss. Errors: ErrClosed, *FailedError, or one that wraps
// ErrTooLarge. The payload may be reused on return.
func (l *Log) Append(r Record) (seg uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seg, err = l.add(r); err != nil {
		return 0, err
	}
	if err := l.write(); err != nil {
		return 0, err
	}
	return seg, nil
}

// AppendSync is Append, but the record is durable on return. Callers at the same time share their syncs. After a
// *FailedError the record may or may not be there at the next Open.
func (l *Log) AppendSync(r Record) (seg uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seg, err = l.add(r); err != nil {
		return 0, err
	}
	if err := l.await(l.started + 1); err != nil {
		return 0, err
	}
	return seg, nil
}

// Sync makes durable all that was appended before. Errors: ErrClosed, *FailedError.
func (l *Log) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	if l.durable == l.end() {
		return nil
	}
	return l.await(l.started + 1)
}

// usable returns why nothing may be appended.
func (l *Log) usable() error {
	if l.err == nil && l.closed {
		return ErrClosed
	}
	return l.err
}

// end is the offset behind the last frame, buffered ones included.
func (l *Log) end() int64 { return l.written + int64(len(l.buf)) }

// fits reports whether the active segment has room for n bytes, with its end mark behind them.
func (l *Log) fits(n int64) bool { return l.end()+n+frameHeader <= l.active.size }

// add buffers r in the active segment, or in a new one if it does not fit.
func (l *Log) add(r Record) (seg uint64, err error) {
	if len(r.Payload) > MaxPayload {
		return 0, fmt.Errorf("%w: %d bytes, at most %d are possible", ErrTooLarge, len(r.Payload), MaxPayload)
	}
	n := frameSize(len(r.Payload))
	for {
		if err := l.usable(); err != nil {
			return 0, err
		}
		if l.fits(n) {
			break
		}
		if l.syncing {
			l.idle.Wait()
		} else if err := l.rotate(n); err != nil {
			return 0, err
		}
	}
	l.put(kindRecord, r)
	l.appends++
	l.unmarked = true
	if l.next == nil && l.end() > l.active.size/2 {
		l.prepareNext()
	}
	return l.active.number, nil
}

func (l *Log) put(kind byte, r Record) {
	l.buf = appendFrame(l.buf, l.seed, l.end(), l.durable, kind, r)
}

// write hands the buffered frames to the operating system, in one write. The mutex is held: frames are contiguous.
func (l *Log) write() error {
	if l.err != nil || len(l.buf) == 0 {
		return l.err
	}
	if _, err := l.file.WriteAt(l.buf, l.written); err != nil {
		return l.fail("write", segmentName(l.dir, l.active.number), err)
	}
	l.written += int64(len(l.buf))
	if l.buf = l.buf[:0]; cap(l.buf) > maxBuffer {
		l.buf = nil
	}
	return nil
}

// maxBuffer is how much memory the log keeps from one write to the next, in bytes.
const maxBuffer = 1 << 20

// await returns when the given round is done. Whoever finds no sync running leads one, for all who wait.
func (l *Log) await(round uint64) error {
	l.waiting++
	for l.done < round {
		switch {
		case l.err != nil:
			return l.err
		case l.syncing:
			l.rounds[round&1].Wait()
		default:
			l.lead()
		}
	}
	return nil
}

// lead runs one round, without the mutex while the disk works.
func (l *Log) lead() {
	l.syncing = true
	if l.crowded {
		// Those whom the last round has just woken are about to append again; let them into this one.
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	if l.write() == nil {
		l.started++
		l.crowded, l.waiting = l.waiting > 1, 0
		file, end := l.file, l.written
		l.mu.Unlock()
		err := file.Sync()
		l.mu.Lock()
		l.synced(end, err)
	}
	l.syncing = false
	l.idle.Broadcast()
	// First the next round's leader, then those who have their result.
	l.rounds[(l.started+1)&1].Signal()
	l.rounds[l.started&1].Broadcast()
}

// syncAll is a round that keeps the mutex: nobody appends meanwhile. No other round may be running.
func (l *Log) syncAll() error {
	if err := l.write(); err != nil {
		return err
	}
	l.started++
	l.waiting = 0
	l.synced(l.written, l.file.Sync())
	l.wakeAll()
	return l.err
}

// synced notes the result of the running round's sync of all before end.
func (l *Log) synced(end int64, err error) {
	if err != nil {
		l.fail("sync", segmentName(l.dir, l.active.number), err)
		return
	}
	l.syncs++
	l.durable = end
	l.done = l.started
}

// fail closes the log for good with its first failure, which it returns.
//
// A sync must not be tried again: Linux reports a failed write-back once and then takes the pages for clean, so the next
// fsync succeeds without having written them (PostgreSQL met this in 2018, "fsyncgate"; LWN, "PostgreSQL's fsync()
// surprise").
func (l *Log) fail(op, file string, err error) error {
	if l.err == nil {
		l.err = &FailedError{Op: op, File: file, Err: err}
	}
	l.wakeAll()
	return l.err
}

func (l *Log) wakeAll() {
	l.idle.Broadcast()
	l.rounds[0].Broadcast()
	l.rounds[1].Broadcast()
}
