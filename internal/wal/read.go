package wal

import "io"

// segmentReader walks over the frames of one segment. What is missing of a file that ends early reads as broken.
type segmentReader struct {
	f      File
	name   string
	header header
	seed   uint32
	size   int64 // bytes that are there

	window []byte // bytes of the file from at on
	at     int64

	// What follows the window is read while the window is looked at, if ahead is set.
	ahead   bool
	buffers [2][]byte  // the first has the window, the second is for what follows it
	next    chan error // the result of reading, nil if nothing is being read
	nextLen int64
}

const (
	windowSize = 512 << 10
	// carryRoom is before each window in its buffer: for the begin of a frame, of which the rest is in the next.
	carryRoom = 16 << 10
)

func newSegmentReader(f File, name string, number uint64) (*segmentReader, error) {
	h, err := readHeader(f, name, number)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err != nil {
		return nil, readError(name, 0, err)
	}
	return &segmentReader{f: f, name: name, header: h, seed: frameSeed(h.id, h.number), size: min(size, h.size)}, nil
}

// tail is where a segment's frames end.
type tail struct {
	off     int64 // behind the last whole frame
	durable int64 // the highest watermark seen: the file up to here was synced once
	records int64 // behind the last record; marks may follow
	ended   bool  // the last frame is the end mark
}

// walk calls fn, if there is one, with each record, in order. In the last segment of a log a broken frame that nothing
// vouches for ends the walk; otherwise it is a *CorruptError.
func (s *segmentReader) walk(last bool, fn func(uint64, Record) error) (tail, error) {
	t := tail{off: headerRoom, durable: headerRoom, records: headerRoom}
	for {
		info, frame, err := s.frame(t.off)
		if err != nil {
			return t, err
		}
		if frame == nil {
			if last {
				vouched, err := s.vouched(t.off)
				if err != nil || !vouched {
					return t, err
				}
				// A live writer may have written the frame since it was looked at. Not so if it is still broken:
				// whoever vouches for it wrote later than it.
				s.wait()
				s.window = nil
				if info, frame, err = s.frame(t.off); err != nil {
					return t, err
				}
			}
			if frame == nil {
				return t, s.damage(t.off, last)
			}
		}
		t.off += info.size
		if info.kind == kindRecord {
			t.records = t.off
			if fn != nil {
				if err := fn(s.header.number, info.record(frame)); err != nil {
					return t, err
				}
			}
		}
		t.durable = max(t.durable, info.durable)
		if info.kind == kindEnd {
			t.ended = true
			return t, nil
		}
	}
}

func (s *segmentReader) damage(off int64, last bool) error {
	reason := "there is no whole record here, and a later one shows that there was"
	if !last {
		reason = "there is no whole record here, and the segment has no end mark before"
	}
	return &CorruptError{File: s.name, Offset: off, Reason: reason}
}

// frame returns the whole frame at off; nil if there is none. It is valid until the next call.
func (s *segmentReader) frame(off int64) (frameInfo, []byte, error) {
	if s.size-off < frameHeader {
		return frameInfo{}, nil, nil
	}
	h, err := s.bytes(off, frameHeader)
	if err != nil {
		return frameInfo{}, nil, err
	}
	info, ok := parseHeader(h, off, s.size-off)
	if !ok {
		return frameInfo{}, nil, nil
	}
	f, err := s.bytes(off, info.size)
	if err != nil || !wholeFrame(s.seed, off, f) {
		return frameInfo{}, nil, err
	}
	return info, f, nil
}

// vouched reports whether a whole frame behind off says that off was durable.
func (s *segmentReader) vouched(off int64) (bool, error) {
	for y := off + frameAlign; s.size-y >= frameHeader; {
		b, err := s.bytes(y, min(windowSize, s.size-y))
		if err != nil {
			return false, err
		}
		next := y + int64(len(b)-frameHeader)&^(frameAlign-1) + frameAlign
		for ; y < next; y, b = y+frameAlign, b[frameAlign:] {
			if b[offKind] == 0 {
				continue
			}
			if info, ok := parseHeader(b, y, s.size-y); !ok || info.durable <= off {
				continue
			}
			if _, f, err := s.frame(y); err != nil || f != nil {
				return f != nil, err
			}
			// The window may have moved.
			break
		}
		if y < next {
			y += frameAlign
		}
	}
	return false, nil
}

// bytes returns n bytes of the file from off on, which must be there. They are valid until the next call.
func (s *segmentReader) bytes(off, n int64) ([]byte, error) {
	if off < s.at || off+n > s.end() {
		if err := s.move(off, n); err != nil {
			s.window = nil
			return nil, err
		}
	}
	return s.window[off-s.at:][:n], nil
}

func (s *segmentReader) end() int64 { return s.at + int64(len(s.window)) }

// move makes the window begin at off and have n bytes or more.
func (s *segmentReader) move(off, n int64) error {
	pending := s.next != nil
	err := s.wait()
	if rest := s.end() - off; pending && off >= s.at && 0 <= rest && rest <= carryRoom && n <= rest+s.nextLen {
		if err != nil {
			return err
		}
		s.buffers[0], s.buffers[1] = s.buffers[1], s.buffers[0]
		copy(s.buffers[0][carryRoom-rest:], s.window[off-s.at:])
		s.window, s.at = s.buffers[0][carryRoom-rest:carryRoom+s.nextLen], off
	} else {
		want := min(max(n, windowSize), s.size-off)
		if err := s.read(0, off, want); err != nil {
			return err
		}
		s.window, s.at = s.buffers[0][carryRoom:carryRoom+want], off
	}
	if from := s.end(); s.ahead && from < s.size {
		s.next, s.nextLen = make(chan error, 1), min(windowSize, s.size-from)
		go func(result chan<- error, n int64) { result <- s.read(1, from, n) }(s.next, s.nextLen)
	}
	return nil
}

// wait returns the result of what is being read ahead. After it nobody uses the file.
func (s *segmentReader) wait() (err error) {
	if s.next != nil {
		err = <-s.next
		s.next = nil
	}
	return err
}

// read reads n bytes from off on, which must be there, into a buffer.
func (s *segmentReader) read(buffer int, off, n int64) error {
	b := s.buffers[buffer]
	if int64(len(b)) < carryRoom+n {
		b = make([]byte, carryRoom+n)
		s.buffers[buffer] = b
	}
	got, err := s.f.ReadAt(b[carryRoom:carryRoom+n], off)
	if int64(got) == n {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return readError(s.name, off+int64(got), err)
}
