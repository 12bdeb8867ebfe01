/* commit=2pc: one transaction X, its owner, the prepared participant P, the last resource L, and recoverers. README.md explains
 * the abstractions. Each MUTANT_ takes one rule of the protocol away; scripts/model sees to it that spin finds the trace. */

#ifndef FAULTS
#define FAULTS 3
#endif
#define FAULT (faults > 0) -> faults--

#include "properties.pml"

#define L 0
#define P 1

mtype:state = { OPEN, MARKED, PREPARED, COMMITTED, ABORTED };
mtype:row = { NONE, C, A };
mtype:says = { SILENT, OK, REFUSED, NOT_PREPARED, UNKNOWN };
mtype:told = { NOTHING, YES, NO, IN_DOUBT, HALF_DONE };
mtype:entry = { NO_ENTRY, OPEN_ENTRY, ENDED, ENDED_SYNCED };

mtype:state tx[2] = OPEN;  /* X on each side; its marker row is there, uncommitted, while it is MARKED or PREPARED */
mtype:row row[2] = NONE;   /* X's committed marker row on each side */

/* The owner's session on each side: its one request (PREPARE on P, COMMIT on L, with the marker), and the reply. */
bool asked[2];
mtype:says reply[2] = SILENT;
bool left[2];              /* nobody is at the client's end any more: the server rolls back when it notices */

/* Requests of other sessions whose client has gone: each arrives some time, or never. */
bool late_fence[2], late_delete[2], late_commit, late_rollback;

mtype:entry journal = NO_ENTRY;
bool lost;                 /* with its disk, or, as it was not synced, in a power loss */
bool handed;               /* the journal's entry is the resolver's, in the owner's process or in the one that follows it */
mtype:told told = NOTHING; /* what the caller knows */
bool ack_both;
bool by_hand;              /* an operator has ended the prepared transaction */
bool reported;             /* recovery says that somebody has ended it by hand */

byte faults = FAULTS;

#include "twophase_sides.pml"

inline mayCrash() {
	if
	:: skip
	:: goto crashed
	fi
}

inline intent() {
	if
	:: journal = OPEN_ENTRY
#ifndef NO_SWEEP
	:: refused = true
#endif
	fi
}

/* await takes the reply to the one request of a session, or gives up: it may still arrive. */
inline await(side) {
	if
	:: atomic { reply[side] != SILENT -> r = reply[side]; reply[side] = SILENT }
	:: atomic { FAULT; r = UNKNOWN }
	:: goto crashed
	fi;
	if
	:: r == UNKNOWN -> left[side] = true
	:: else
	fi
}

/* The owner of X, which has passed the barrier. It may be as slow as it likes, and be taken for dead. */
active proctype Owner() {
	mtype:says r = SILENT;
	mtype:row s = NONE;
	bool refused; /* the journal has refused the intent, or the sides differ */
	bool answered = true;

#ifdef MUTANT_COMMIT_BEFORE_PREPARE
	asked[L] = true;
	await(L);
#endif
	if /* PREPARE, and the intent, in whatever order */
	:: intent(); mayCrash(); asked[P] = true
#ifndef NO_SWEEP
	:: asked[P] = true; mayCrash(); intent()
#endif
	fi;
	await(P);
	if
	:: r == UNKNOWN -> goto undo
#ifndef MUTANT_PREPARE_UNCHECKED
	:: r == REFUSED -> goto rolled_back
#endif
	:: else
	fi;
	if
	:: refused -> goto undo
	:: else
	fi;
	mayCrash();

#ifndef MUTANT_COMMIT_BEFORE_PREPARE
	asked[L] = true;
#endif
	await(L);
	if
	:: r == OK -> goto decided
	:: r == REFUSED -> goto undo
	:: else
	fi;
#ifdef MUTANT_GUESS_ROLLED_BACK
	goto undo;
#endif
#ifdef MUTANT_GUESS_COMMITTED
	goto decided;
#endif
ask:	/* the reply to the deciding COMMIT is lost */
	fence(L);
	if
	:: r == OK && s == A -> goto undo
	:: r == OK && s != A -> goto decided
	:: r == UNKNOWN -> goto ask
	:: r == UNKNOWN -> told = IN_DOUBT; goto hand_over
	:: goto crashed
	fi;

undo:	/* X will never commit on L */
	endPrepared(ABORTED);
	if
	:: r == OK -> goto rolled_back
	:: r == NOT_PREPARED
	:: r == UNKNOWN -> goto undo
	:: r == UNKNOWN -> goto undo_later
	:: goto crashed
	fi;
#ifndef MUTANT_NO_PREPARE_FENCE
fence_prepare:
	fence(P); /* the PREPARE may still be on its way, recovery may have been quicker, or a hand */
	if
	:: r == OK && s != C -> goto rolled_back
	:: r == OK && s == C -> reported = true; goto undo_later
#ifndef MUTANT_FENCE_AGAIN
	:: r == UNKNOWN -> goto undo
#else
	:: r == UNKNOWN -> goto fence_prepare
#endif
	:: r == UNKNOWN -> goto undo_later
	:: goto crashed
	fi;
#endif
rolled_back:
	atomic {
		left[L] = true; left[P] = true; told = NO;
		if
		:: journal == OPEN_ENTRY -> journal = ENDED
		:: else
		fi
	}
	goto done;
undo_later:
	atomic { left[L] = true; told = NO; handed = true }
	goto done;

decided:
	if
	:: told = YES /* ack=decided */
	:: ack_both = true
	fi;
#ifdef MUTANT_COLLECT_EARLY
	collect();
#endif
finish:
	endPrepared(COMMITTED);
	if
	:: r == OK -> goto finished
	:: r == NOT_PREPARED
	:: r == UNKNOWN -> answered = false; goto finish
	:: r == UNKNOWN -> goto half_done
	:: goto crashed
	fi;
	answered = false;
	seekEnd();
	if
	:: r == OK -> goto finished
	:: r == UNKNOWN -> goto finish
	:: r == UNKNOWN || r == REFUSED -> goto half_done
	:: goto crashed
	fi;
half_done:
	if
	:: told == NOTHING -> told = HALF_DONE
	:: else
	fi;
hand_over:
	handed = true;
	goto done;

finished:
	told = YES;
	mayCrash();
	journal = ENDED;
	mayCrash();
#ifndef MUTANT_COLLECT_EARLY
	if
	:: answered -> collect()
	:: else
	fi;
#endif
done:
	mayCrash();
	goto over;
crashed:
	atomic {
		left[L] = true; left[P] = true; handed = true;
		if
		:: skip
		:: journal == ENDED -> journal = OPEN_ENTRY /* the end was not synced */
#ifndef NO_SWEEP
		:: journal != NO_ENTRY -> journal = NO_ENTRY; lost = true
#endif
		fi
	}
over:
	atomic { r = SILENT; s = NONE; refused = false; answered = false }
}

/* settle fences L and makes P follow. The resolver does so with its journal's open entry, and the sweep of any process with what
 * it has listed as prepared and old; both as often as it takes. Its own crash, with another one starting, is an UNKNOWN. */
proctype Recoverer(bool own) {
	mtype:says r = SILENT;
	mtype:row s = NONE;
end:
	if
	:: own && handed && journal == OPEN_ENTRY && !reported
	:: !own && tx[P] == PREPARED
	fi;
#ifndef MUTANT_SWEEP_UNASKED
	fence(L);
	if
	:: r == UNKNOWN -> goto again
	:: r == OK && s == C -> goto follow
	:: r == OK && s != C
	fi;
#endif
	endPrepared(ABORTED);
	if
	:: r == OK -> goto rolled_back
	:: r == NOT_PREPARED
	:: r == UNKNOWN -> goto again
	fi;
	fence(P);
	if
	:: r == UNKNOWN -> goto again
	:: r == OK && s != C -> goto rolled_back
	:: r == OK && s == C
	fi;
#ifndef MUTANT_ALARM_ON_COLLECTED
	if
	:: !own -> goto again /* its owner has finished it and deleted L's marker, and not yet P's */
	:: own /* what is open is not collected: a hand */
	fi;
#endif
	reported = true;
	goto again;
follow:
	endPrepared(COMMITTED);
	if
	:: r == OK
	:: r == NOT_PREPARED -> seekEnd()
	:: r == UNKNOWN
	fi;
	if
	:: r == OK && own -> atomic { journal = ENDED; told = YES }
	:: else
	fi;
	goto ended;
rolled_back:
	if
	:: own -> atomic { journal = ENDED; told = NO }
	:: else
	fi;
ended:
	if
	:: skip
	:: atomic { own && journal == ENDED && FAULT; journal = OPEN_ENTRY } /* it crashes, and the end was not synced */
	fi;
again:
	atomic { r = SILENT; s = NONE };
	goto end
}

init {
	atomic {
		run Side(L);
		run Side(P);
		run Recoverer(true);
#ifndef NO_SWEEP
		run Recoverer(false);
		run Recoverer(false);
#endif
	}
}

active proctype Properties() {
end:	if
	:: atomic { IS(SPLIT) && tx[L] == COMMITTED && tx[P] == ABORTED && !by_hand -> VIOLATED(SPLIT) }
	:: atomic { IS(SPLIT) && tx[L] == ABORTED && tx[P] == COMMITTED && !by_hand -> VIOLATED(SPLIT) }
	:: atomic { IS(TOLD_WRONGLY) && (told == YES || told == HALF_DONE) && tx[L] != COMMITTED -> VIOLATED(TOLD_WRONGLY) }
	:: atomic { IS(TOLD_WRONGLY) && told == YES && ack_both && tx[P] != COMMITTED && !by_hand -> VIOLATED(TOLD_WRONGLY) }
	:: atomic { IS(TOLD_WRONGLY) && told == NO && (tx[L] == COMMITTED || tx[P] == COMMITTED && !by_hand) -> VIOLATED(TOLD_WRONGLY) }
	:: atomic { IS(FALSE_ALARM) && reported && !by_hand -> VIOLATED(FALSE_ALARM) }
	:: atomic { timeout -> /* nothing else can happen: this is how it all ends */
		if
		:: IS(LEFT_OPEN) && (tx[L] == OPEN || tx[P] == OPEN || tx[P] == PREPARED) -> VIOLATED(LEFT_OPEN)
		:: IS(LEFT_OPEN) && tx[L] == tx[P] && journal == OPEN_ENTRY -> VIOLATED(LEFT_OPEN)
		:: IS(LEFT_OPEN) && tx[L] == tx[P] && (told == IN_DOUBT || told == HALF_DONE) && !lost -> VIOLATED(LEFT_OPEN)
		:: IS(HIDDEN) && tx[L] != tx[P] && !reported && journal != NO_ENTRY -> VIOLATED(HIDDEN)
		:: IS(FALSE_ALARM) && tx[L] == tx[P] && reported -> VIOLATED(FALSE_ALARM)
		:: else
		fi }
	fi
}
