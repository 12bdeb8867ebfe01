package sqltext

import (
	"errors"
	"fmt"
	"strings"
)

// Hint is the caller's own decision where a statement runs, from a comment of
// its own anywhere in the text: /* dualsql:mirror */ or -- dualsql:primary.
// The zero value is NoHint.
type Hint uint8

const (
	// NoHint leaves the decision to the statement's kind.
	NoHint Hint = iota
	// HintMirror runs the text on both sides.
	HintMirror
	// HintPrimary runs the text on the primary alone.
	HintPrimary
)

var (
	errHintConflict = errors.New("the statement has hints that contradict each other: leave one of dualsql:mirror, dualsql:primary and dualsql:secondary")
	errHintTwice    = errors.New("the statement has two comments with the secondary's text: put both texts into one")
)

const hintPrefix = "dualsql:"

// hint adds what one comment says to what was said before.
func (s *Statement) hint(comment string) error {
	body := strings.TrimPrefix(comment, "--")
	if strings.HasPrefix(comment, "/*") {
		body = strings.TrimSuffix(comment[2:], "*/")
	}
	body = strings.TrimSpace(strings.TrimPrefix(body, "#"))
	if !strings.HasPrefix(body, hintPrefix) {
		return nil
	}
	name, text := body[len(hintPrefix):], ""
	if i := strings.IndexAny(name, " \t\r\n"); i >= 0 {
		name, text = name[:i], strings.TrimSpace(name[i:])
	}
	said := s.Hint
	switch {
	case name == "mirror" && text == "":
		said = HintMirror
	case name == "primary" && text == "":
		said = HintPrimary
	case name == "secondary" && s.Secondary != "":
		return errHintTwice
	case name == "secondary" && text != "":
		s.Secondary = text
	default:
		return fmt.Errorf("unknown hint %.40q: write dualsql:mirror, dualsql:primary, or dualsql:secondary and the text for that side", body)
	}
	if s.Hint != NoHint && s.Hint != said || said == HintPrimary && s.Secondary != "" {
		return errHintConflict
	}
	s.Hint = said
	return nil
}
