package dualsql

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
)

// A start with many open transactions must not sync once for each.
func TestTellAllSyncsOnce(t *testing.T) {
	dir := t.TempDir()
	j, err := openJournal(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 100
	for range n {
		if _, err := j.beginLoose(&intent{txid: uuid.Must(uuid.NewV7()), at: now()}, 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	before := j.log.Stats().Syncs
	for range 2 {
		if err := j.tellAll(); err != nil {
			t.Fatal(err)
		}
	}
	if syncs := j.log.Stats().Syncs - before; syncs != 1 {
		t.Errorf("%d syncs for %d transactions", syncs, n)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(dir, nil); err != nil {
		t.Fatal(err)
	}
	defer j.close()
	told := 0
	for _, e := range j.entries() {
		if e.told {
			told++
		}
	}
	if told != n {
		t.Errorf("%d of %d are told after a restart", told, n)
	}
}

func TestTheNewestOutcomesStayKnown(t *testing.T) {
	j := &journal{outcomes: map[uuid.UUID]ended{}}
	ids := make([]uuid.UUID, 2*maxOutcomes)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
	}
	for _, i := range rand.Perm(len(ids)) {
		j.remember(ids[i], Committed, 1)
		j.remember(ids[i], RolledBack, 2)
	}
	if len(j.outcomes) != maxOutcomes || len(j.ages) != maxOutcomes {
		t.Fatalf("%d outcomes and %d ages, want %d", len(j.outcomes), len(j.ages), maxOutcomes)
	}
	for i, id := range ids {
		if _, known := j.outcome(id); known != (i >= maxOutcomes) {
			t.Fatalf("transaction %d of %d: known is %v", i, len(ids), known)
		}
	}
}
