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
}

const windowSize = 1 << 20

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
	if off < s.at || off+n > s.at+int64(len(s.window)) {
		want := min(max(n, windowSize), s.size-off)
		if int64(cap(s.window)) < want {
			s.window = make([]byte, want)
		}
		s.window, s.at = s.window[:want], off
		if got, err := s.f.ReadAt(s.window, off); int64(got) < want {
			s.window = nil
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, readError(s.name, off+int64(got), err)
		}
	}
	return s.window[off-s.at:][:n], nil
}
