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

type secondaryKey struct{}

// WithSecondarySQL returns a context under which a statement runs on the primary as it is, and text runs in its place on the
// secondary, with the same arguments: for what two vendors say in different ways. It says by context what the comment
// /* dualsql:secondary TEXT */ says in a text, and prevails over it. That both do the same is the caller's affair; the numbers of
// rows are compared where both have one. What controls transactions, savepoints and sessions takes no text of its own.
func WithSecondarySQL(ctx context.Context, text string) context.Context {
	return context.WithValue(ctx, secondaryKey{}, text)
}

type bestEffortKey struct{}

// WithBestEffort returns a context under which a transaction, or a statement outside of one, is committed as under
// commit=besteffort, whatever the pair's protocol is. It is for what the protocol cannot do: under commit=2pc, what
// PostgreSQL cannot prepare ([ErrUnpreparable]). A crash in the middle of its commit is reported and not mended.
func WithBestEffort(ctx context.Context) context.Context {
	return context.WithValue(ctx, bestEffortKey{}, true)
}

func hintOf(ctx context.Context, p *plan) sqltext.Hint {
	if h, ok := ctx.Value(optionKey{}).(sqltext.Hint); ok {
		return h
	}
	return p.st.Hint
}
