package dualsql

import (
	"context"

	"github.com/dualsql/dualsql/internal/sqltext"
)

type optionKey struct{}

// WithMirror returns a context under which every statement is run on both sides, even if it looks like a read. It says by
// context what the comment /* dualsql:mirror */ says in a text, and prevails over it.
func WithMirror(ctx context.Context) context.Context {
	return context.WithValue(ctx, optionKey{}, sqltext.HintMirror)
}

// WithPrimaryOnly returns a context under which every statement is run on the primary alone, even if it writes: the sides
// then differ by what it does. It says by context what the comment /* dualsql:primary */ says in a text, and prevails over
// it.
func WithPrimaryOnly(ctx context.Context) context.Context {
	return context.WithValue(ctx, optionKey{}, sqltext.HintPrimary)
}

func hintOf(ctx context.Context, p *plan) sqltext.Hint {
	if h, ok := ctx.Value(optionKey{}).(sqltext.Hint); ok {
		return h
	}
	return p.st.Hint
}
