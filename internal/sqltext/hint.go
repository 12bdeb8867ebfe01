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

var errHintConflict = errors.New("the statement has both hints, dualsql:mirror and dualsql:primary: remove one")

const hintPrefix = "dualsql:"

// hint adds what one comment says to what was said before.
func (h Hint) add(comment string) (Hint, error) {
	body := strings.TrimPrefix(comment, "--")
	if strings.HasPrefix(comment, "/*") {
		body = strings.TrimSuffix(comment[2:], "*/")
	}
	body = strings.TrimSpace(strings.TrimPrefix(body, "#"))
	if !strings.HasPrefix(body, hintPrefix) {
		return h, nil
	}
	var said Hint
	switch body[len(hintPrefix):] {
	case "mirror":
		said = HintMirror
	case "primary":
		said = HintPrimary
	default:
		return h, fmt.Errorf("unknown hint %.40q: write dualsql:mirror or dualsql:primary", body)
	}
	if h != NoHint && h != said {
		return h, errHintConflict
	}
	return said, nil
}
