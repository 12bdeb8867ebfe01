package main

import (
	"fmt"
	"math/rand/v2"
)

// planBound is how many texts dualsql keeps the plans of: maxPlans of its plan.go.
const planBound = 2048

func statementsWorkload(n int64) workload { return updates(fmt.Sprintf("%d statements", n), int(n)) }

func rowsWorkload(n int64) workload { return inserts(fmt.Sprintf("%d rows", n), int(n)) }

// textsWorkload draws one of n texts.
func textsWorkload(n int64) workload {
	return workload{
		name:  fmt.Sprintf("%d texts", n),
		about: "SELECT of one row by its key, in one of so many texts",
		reads: true,
		next: func(r *rand.Rand) []statement {
			text := fmt.Sprintf("select id, name, price, %d from item where id = $1", r.Int64N(n))
			return []statement{{text, []any{1 + r.IntN(itemRows)}, true}}
		},
	}
}
