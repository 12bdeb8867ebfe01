/* commit=marker: two processes, each with one transaction that writes the same row, on a primary D that decides and a secondary S.
 * README.md explains the abstractions. Each MUTANT_ takes one rule of the protocol away.
 *
 * Process 0 is the pair's writer from the start. Process 1 is another one with a journal of its own; or, with -DSUCCESSOR, the one
 * that is started with the journal of process 0 after that has ended. */

#ifndef FAULTS
#define FAULTS 2
#endif
#define FAULT (faults > 0) -> faults--

#include "properties.pml"

#define D 0
#define S 1
#define AT(side, t) (2 * (side) + (t)) /* Promela has no arrays of arrays */
#define NOBODY 2

mtype:state = { NO_TX, OPEN, COMMITTED, ABORTED };
mtype:row = { NONE, C, A };
mtype:says = { SILENT, OK, REFUSED, UNKNOWN };
mtype:told = { NOTHING, YES, NO, IN_DOUBT, HALF_DONE };
mtype:entry = { NO_ENTRY, OPEN_ENTRY, LISTED, ENDED, ENDED_SYNCED };
mtype:redo = { NO_REDO, INSERTED, RUN };

/* Transaction t of process t, on sessions of its own. An OPEN one has run its statement and holds the row. */
mtype:state tx[4] = NO_TX;
mtype:row row[4] = NONE;   /* its committed marker row */
bool alive[4];             /* the session is there, and has joined: it holds the shared lock */
bool left[4];              /* nobody is at its client's end any more: the server ends it when it notices */
bool asked[4];             /* marker and COMMIT, in one request */
mtype:says reply[4] = SILENT;

/* The redo of t on the secondary, by another session: its marker is inserted, its statement has run and holds the row. */
mtype:redo redo[2] = NO_REDO;
bool redo_left[2], redo_asked[2];

/* Who holds the writer's lock on each side, by a session that does nothing else. */
byte writer[2] = 0;
bool writer_left[2];

/* Requests whose client has gone: each arrives some time, or never. */
bool late_fence[4], late_delete[4];

mtype:entry journal[2] = NO_ENTRY; /* of t */
bool lost;                         /* the journal of process 0, with its disk */
mtype:told told[2] = NOTHING;
bool reported[2];                  /* recovery says that t is half done for good */
bool over[2];

byte last[2] = NOBODY;     /* whose value the row has on each side */
byte times[2];             /* that t was committed on the secondary */

byte faults = FAULTS;

/* MINE: t is in the journal that process p has. OTHERS: sessions under another journal are joined on a side. */
#ifdef SUCCESSOR
#define MINE(t) (t == p || !lost)
#else
#define MINE(t) (t == p && (p == 1 || !lost))
#endif
#define HOLDS(side) (UNLOCKED(side) || writer[side] == p && !writer_left[side])
#ifndef MUTANT_NO_JOIN
#define OTHERS(side) (!UNLOCKED(side) && (alive[AT(side, 0)] && !MINE(0) || alive[AT(side, 1)] && !MINE(1)))
#else
#define OTHERS(side) false
#endif
#if defined(MUTANT_NO_LOCK)
#define UNLOCKED(side) true
#elif defined(MUTANT_LOCK_ON_SECONDARY_ALONE)
#define UNLOCKED(side) (side == D)
#else
#define UNLOCKED(side) false
#endif
#define ROW_HELD(side) (tx[AT(side, 1 - p)] == OPEN || side == S && (redo[0] == RUN || redo[1] == RUN))
#define FREE(side) (UNLOCKED(side) || writer[side] == NOBODY && !OTHERS(side))

#define UNTRUE(t) (told[t] == YES && (tx[AT(D, t)] != COMMITTED || times[t] == 0) || \
	told[t] == NO && (tx[AT(D, t)] == COMMITTED || times[t] > 0) || \
	told[t] == HALF_DONE && tx[AT(D, t)] != COMMITTED)

#ifndef MUTANT_REDO_UNMARKED
#define ALREADY r = REFUSED
#else
#define ALREADY redo[t] = INSERTED; r = OK
#endif

#include "marker_sides.pml"

inline mayCrash() {
	if
	:: skip
	:: atomic { FAULT; goto crashed }
	fi
}

/* drop gives the writer's lock back on both sides; leave ends the transaction's sessions too. Their servers notice later. */
inline drop() {
	writer_left[D] = writer_left[D] || writer[D] == p;
	writer_left[S] = writer_left[S] || writer[S] == p
}

inline leave() {
	left[AT(D, p)] = alive[AT(D, p)];
	left[AT(S, p)] = alive[AT(S, p)]
}

/* take locks first and then looks for sessions of others; join joins first and then looks for the lock: who comes second sees
 * the other. */
inline take(side) {
	if
	:: UNLOCKED(side)
	:: atomic { !UNLOCKED(side) && writer[side] == NOBODY -> writer[side] = p }
	fi;
	if
	:: atomic { OTHERS(side) -> drop(); goto become }
	:: else
	fi
}

inline join(side) {
	alive[AT(side, p)] = true;
#ifndef MUTANT_NO_LOOK
	if
	:: atomic { !HOLDS(side) -> leave(); drop(); goto become }
	:: else
	fi
#endif
}

proctype Writer(bool p) {
	bool t;          /* the transaction in hand */
	bool began;      /* p has begun its own */
	bool committing; /* by its owner, in the commit phase */
	bool answered;   /* both sides have answered its COMMIT */
	bool looked;     /* for what other journals have half done */
	mtype:says r = SILENT;
	mtype:row s = NONE;

	if
	:: p == 0 -> looked = true; goto write
	:: p == 1
	fi;
#ifdef SUCCESSOR
	over[0];
#endif
become:
	if
	:: looked && HOLDS(D) && HOLDS(S) -> goto settle
	:: else -> drop()
	fi;
	FREE(D) && FREE(S);
	take(D);
	take(S);

find_lost: /* committed on D alone, and under another journal: that is lost, or its process is not the writer any more */
	atomic { t = 0; r = OK; s = NONE; committing = false; answered = false };
#ifdef MUTANT_LOST_ONCE
	if
	:: looked -> goto settle
	:: else
	fi;
#endif
find_next:
	if
	:: MINE(t) -> goto found
	:: else
	fi;
	readRow(D, t);
	if
	:: r == UNKNOWN -> goto find_lost
	:: r == OK && s != C -> goto found
	:: r == OK && s == C
	fi;
	readRow(S, t);
	if
	:: r == UNKNOWN -> goto find_lost
	:: r == OK && s == C -> goto found
	:: r == OK && s != C
	fi;
#ifndef MUTANT_LOST_UNFENCED
	fence(S, t);
	if
	:: r == UNKNOWN -> goto find_lost
	:: r == OK && s == C -> goto found
	:: r == OK && s != C
	fi;
#endif
#ifndef MUTANT_LOST_SECOND_LOOK
	readRow(D, t);
	if
	:: r == UNKNOWN -> goto find_lost
	:: r == OK && s != C -> goto found /* its owner has deleted both markers since, D's first */
	:: r == OK && s == C
	fi;
#endif
	reported[t] = true;
found:
	if
	:: t == 0 -> t = 1; goto find_next
	:: t == 1 -> looked = true
	fi;

settle:	/* what the own journal has open */
	atomic { t = 0; r = OK; s = NONE; committing = false; answered = false };
	if
#ifdef MUTANT_NO_GATE
	:: !began -> goto write
#endif
	:: MINE(0) && journal[0] == OPEN_ENTRY -> t = 0
	:: MINE(1) && journal[1] == OPEN_ENTRY -> t = 1
	:: else -> goto write
	fi;
	fence(D, t);
	if
	:: r == UNKNOWN -> goto settle
	:: atomic { r == UNKNOWN -> goto crashed }
	:: r == OK && s == C -> goto repeat
	:: r == OK && s != C -> atomic { told[t] = NO; journal[t] = ENDED }
	fi;
	mayCrash();
	goto settle;

write:
	if
	:: began || journal[0] == LISTED && MINE(0) -> goto done /* what is listed holds later writes back */
	:: else
	fi;
	!alive[AT(D, p)] && !alive[AT(S, p)];
	join(D);
	join(S);
	atomic { /* the statement on D: it waits for the row */
		t = p; committing = true; answered = true;
		!ROW_HELD(D) || !alive[AT(D, p)];
		began = true;
		tx[AT(D, p)] = (alive[AT(D, p)] -> OPEN : ABORTED)
	}
	mayCrash();
	if /* the same on S */
	:: atomic { !ROW_HELD(S) && alive[AT(S, p)] -> tx[AT(S, p)] = OPEN }
	:: !alive[AT(S, p)] -> goto rolled_back
	:: ROW_HELD(S) -> goto rolled_back /* lock time-out */
	fi;
	mayCrash();
#ifndef MUTANT_NO_INTENT
	if
	:: journal[p] = OPEN_ENTRY
	:: goto rolled_back /* the journal has refused it */
	fi;
	mayCrash();
#endif
#ifdef MUTANT_SECONDARY_FIRST
	asked[AT(S, p)] = true;
	await(S);
#endif
	asked[AT(D, p)] = true;
	await(D);
	if
	:: r == OK -> goto decided
	:: r == REFUSED -> goto rolled_back
	:: r == UNKNOWN
	fi;
#ifdef MUTANT_GUESS
	goto rolled_back;
#endif
ask:	/* the reply to the deciding COMMIT is lost */
	fence(D, p);
	if
	:: r == OK && s == C -> goto decided
	:: r == OK && s != C -> goto rolled_back
	:: r == UNKNOWN -> goto ask
	:: r == UNKNOWN -> atomic { told[p] = IN_DOUBT; leave(); goto resolve }
	:: atomic { r == UNKNOWN -> goto crashed }
	fi;
rolled_back:
	atomic { leave(); told[p] = NO; journal[p] = (journal[p] == OPEN_ENTRY -> ENDED : journal[p]) };
	mayCrash();
	goto done;

decided:
	mayCrash();
#ifdef MUTANT_COLLECT_EARLY
	collect();
#endif
#ifndef MUTANT_SECONDARY_FIRST
	asked[AT(S, p)] = true;
	await(S);
#endif
	if
	:: r == OK -> goto finished
	:: else -> answered = false
	fi;
repeat:	/* of t, by a new session: its marker first */
	if
	:: atomic { redo[t] == NO_REDO && row[AT(S, t)] == C -> ALREADY }
	:: atomic { redo[t] == NO_REDO && row[AT(S, t)] == NONE -> redo[t] = INSERTED; r = OK }
	:: atomic { redo[t] == NO_REDO && row[AT(S, t)] == A -> journal[t] = LISTED; reported[t] = true; told[t] = HALF_DONE; goto settle }
	:: atomic { FAULT; r = UNKNOWN }
	fi;
	if
	:: r == REFUSED -> goto finished
	:: r == UNKNOWN -> goto redo_failed
	:: r == OK
	fi;
	mayCrash();
	if
	:: atomic { redo[t] == INSERTED && tx[AT(S, 1 - t)] != OPEN && redo[1 - t] != RUN -> redo[t] = RUN }
	:: redo[t] != INSERTED -> goto redo_failed
	fi;
	mayCrash();
	if
	:: atomic { redo[t] == RUN -> redo[t] = NO_REDO; commitRedo(t); r = OK }
	:: atomic { redo[t] == RUN && FAULT; redo_asked[t] = true; r = UNKNOWN }
	:: redo[t] != RUN -> r = UNKNOWN
	fi;
	if
	:: r == OK -> goto finished
	:: r == UNKNOWN
	fi;
redo_failed:
	redo_left[t] = redo[t] != NO_REDO;
	if
	:: goto repeat
	:: atomic { committing -> told[t] = HALF_DONE; goto resolve }
	:: goto crashed
	fi;
resolve: /* in the same process: it may not know yet that the lock is lost */
	if
	:: goto settle
	:: goto become
	fi;

finished:
	told[t] = YES;
	mayCrash();
	journal[t] = ENDED;
	mayCrash();
#ifndef MUTANT_COLLECT_EARLY
	if
#ifdef MUTANT_COLLECT_UNANSWERED
	:: committing -> collect()
#else
	:: committing && answered -> collect()
#endif
	:: else
	fi;
#endif
	leave();
	goto settle;

crashed:
	atomic {
		leave(); drop();
		redo_left[0] = redo_left[0] || MINE(0) && redo[0] != NO_REDO;
		redo_left[1] = redo_left[1] || MINE(1) && redo[1] != NO_REDO;
		looked = false;
		if
		:: skip
		:: MINE(0) && journal[0] == ENDED -> journal[0] = OPEN_ENTRY /* the end was not synced */
		:: MINE(1) && journal[1] == ENDED -> journal[1] = OPEN_ENTRY
		:: p == 0 && !lost && journal[0] != NO_ENTRY -> journal[0] = NO_ENTRY; lost = true
		fi;
#ifdef SUCCESSOR
		if
		:: p == 0 -> goto done
		:: else
		fi;
#endif
		goto become
	}
done:
	mayCrash();
	atomic { leave(); drop(); over[p] = true; t = 0; r = SILENT; s = NONE; answered = false; committing = false; looked = false }
}

active proctype Properties() {
	bool t;
end:	if
	:: atomic { IS(DONE_TWICE) && (times[0] > 1 || times[1] > 1) -> VIOLATED(DONE_TWICE) }
	:: atomic { IS(SPLIT) && (times[0] > 0 && tx[AT(D, 0)] != COMMITTED || times[1] > 0 && tx[AT(D, 1)] != COMMITTED) -> VIOLATED(SPLIT) }
	:: atomic { IS(TOLD_WRONGLY) && (UNTRUE(0) || UNTRUE(1)) -> VIOLATED(TOLD_WRONGLY) }
	:: atomic { IS(FALSE_ALARM) && (reported[0] && times[0] > 0 || reported[1] && times[1] > 0) -> VIOLATED(FALSE_ALARM) }
	:: atomic { timeout -> /* nothing else can happen: this is how it all ends */
		do
		:: IS(LEFT_OPEN) && (tx[AT(D, t)] == OPEN || tx[AT(S, t)] == OPEN || redo[t] != NO_REDO) -> VIOLATED(LEFT_OPEN)
		:: IS(LEFT_OPEN) && (journal[t] == OPEN_ENTRY || writer[t] != NOBODY || !over[t]) -> VIOLATED(LEFT_OPEN)
		:: IS(LEFT_OPEN) && (told[t] == IN_DOUBT || told[t] == HALF_DONE && !reported[t]) && !(t == 0 && lost) -> VIOLATED(LEFT_OPEN)
		:: IS(SPLIT) && tx[AT(D, t)] == COMMITTED && times[t] == 0 && !reported[t] -> VIOLATED(SPLIT)
		:: else ->
			if
			:: t == 0 -> t = 1
			:: t == 1 -> break
			fi
		od;
		if
		:: IS(OTHER_ORDER) && times[0] == 1 && times[1] == 1 && last[D] != last[S] -> VIOLATED(OTHER_ORDER)
		:: else
		fi }
	fi
}

init {
	atomic {
		writer[D] = 0; writer[S] = 0; last[D] = NOBODY; last[S] = NOBODY;
		run Session(D, 0); run Session(D, 1); run Session(S, 0); run Session(S, 1);
		run Server(D); run Server(S);
		run Network();
		run Writer(0); run Writer(1)
	}
}
