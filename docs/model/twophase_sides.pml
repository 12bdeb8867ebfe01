/* The databases of twophase.pml, the requests to them, and the network. */

/* ---- the owner's session on each side ---- */

inline answer(side, what) {
	asked[side] = false;
	if
	:: left[side]
	:: !left[side] -> reply[side] = what
	:: !left[side] && FAULT; reply[side] = UNKNOWN
	fi
}

/* broken: the session is gone, and its transaction with it. The client may know that nothing was sent, or cannot tell. */
inline broken(side) {
	tx[side] = ABORTED;
	asked[side] = false;
	if
	:: left[side]
	:: !left[side] -> reply[side] = UNKNOWN
	:: !left[side] -> reply[side] = REFUSED
	fi
}

/* A database at work on that session. It may crash and restart, which ends what is neither prepared nor committed. */
proctype Side(bool side) {
end:	do
	:: atomic { asked[side] && tx[side] == OPEN -> /* the marker's insert */
		if
		:: row[side] == NONE -> tx[side] = MARKED
		:: row[side] != NONE -> tx[side] = ABORTED; answer(side, REFUSED)
		fi }
	:: atomic { tx[side] == MARKED && side == L -> tx[L] = COMMITTED; row[L] = C; answer(L, OK) }
	:: atomic { tx[side] == MARKED && side == P -> tx[P] = PREPARED; answer(P, OK) }
	:: atomic { tx[side] == MARKED -> tx[side] = ABORTED; answer(side, REFUSED) } /* a deferred constraint, no slot */
	:: atomic { (tx[side] == OPEN || tx[side] == MARKED) && FAULT; broken(side) } /* crash */
	:: atomic { tx[side] == OPEN && left[side] -> broken(side) }
	:: atomic { tx[side] == ABORTED && asked[side] -> broken(side) }
	od
}

/* ---- requests on sessions of their own: each takes effect in one step, and after UNKNOWN it may still arrive. The answer
 * is in the client's r, what was read in its s ---- */

inline insertFence(side) {
	if
	:: row[side] == NONE -> row[side] = A
	:: else
	fi
}

#ifndef MUTANT_NO_FENCE
/* fence inserts the row A unless there is one, and waits for an uncommitted row of X's; then it reads what is there. */
inline fence(side) {
	atomic {
		if
		:: tx[side] != MARKED && tx[side] != PREPARED -> insertFence(side); r = OK
		:: tx[side] == PREPARED -> r = UNKNOWN /* lock time-out */
#ifdef MUTANT_NO_WAIT
		:: tx[side] == MARKED -> r = OK
#endif
		:: FAULT; late_fence[side] = true; r = UNKNOWN
		fi
	}
	if
	:: r == OK -> s = row[side]
	:: atomic { r == OK && FAULT; r = UNKNOWN }
	:: r != OK
	fi
}
#else
inline fence(side) {
	atomic { r = OK; s = (row[side] == NONE -> A : row[side]) }
}
#endif

inline endPreparedAs(how) {
	tx[P] = how;
#ifndef MUTANT_NO_P_MARKER
	if
	:: how == COMMITTED -> row[P] = C
	:: else
	fi
#endif
}

/* endPrepared is COMMIT PREPARED or ROLLBACK PREPARED. */
inline endPrepared(how) {
	atomic {
		if
		:: tx[P] == PREPARED -> endPreparedAs(how); r = OK
		:: tx[P] != PREPARED -> r = NOT_PREPARED
		:: FAULT; late_commit = late_commit || how == COMMITTED; late_rollback = late_rollback || how == ABORTED; r = UNKNOWN
		fi
	}
}

/* seekEnd finds out who has ended the prepared transaction of an X that is decided. REFUSED: somebody by hand, against it. */
inline seekEnd() {
	if
	:: row[P] == C -> r = OK
	:: row[P] != C -> r = NOT_PREPARED
	:: atomic { FAULT; r = UNKNOWN }
	fi;
#ifdef MUTANT_HIDE
	r = (r == NOT_PREPARED -> OK : r);
#endif
	if
#ifndef MUTANT_NO_SECOND_LOOK
	:: r == NOT_PREPARED && row[L] != C -> r = OK /* its owner has deleted both, L's first: never in Owner */
	:: atomic { r == NOT_PREPARED && row[L] == C -> r = REFUSED; reported = true }
#else
	:: atomic { r == NOT_PREPARED -> r = REFUSED; reported = true }
#endif
	:: atomic { r == NOT_PREPARED && FAULT; r = UNKNOWN }
	:: r != NOT_PREPARED
	fi
}

inline deleteMarker(side) {
	atomic {
		if
		:: row[side] == C -> row[side] = NONE; r = OK
		:: row[side] != C -> r = OK
		:: FAULT; late_delete[side] = true; r = UNKNOWN
		fi
	}
}

/* collect deletes the markers once the end is synced. What fails is left to the sweep of a later day. */
inline collect() {
#ifndef MUTANT_COLLECT_UNSYNCED
	journal = ENDED_SYNCED;
#endif
	mayCrash();
#ifndef MUTANT_COLLECT_P_FIRST
	deleteMarker(L);
#else
	deleteMarker(P);
#endif
	if
	:: r == OK
	:: r == OK -> goto crashed
	:: r != OK -> goto done
	fi;
#ifndef MUTANT_COLLECT_P_FIRST
	deleteMarker(P)
#else
	deleteMarker(L)
#endif
}

#define FREE(side) (tx[side] != MARKED && tx[side] != PREPARED)
#define LOSE(request) atomic { request -> request = false }

/* What arrives late, or never. */
active proctype Network() {
end:	do
	:: atomic { late_fence[L] && FREE(L) -> late_fence[L] = false; insertFence(L) }
	:: atomic { late_fence[P] && FREE(P) -> late_fence[P] = false; insertFence(P) }
	:: atomic { late_delete[L] -> late_delete[L] = false; row[L] = (row[L] == C -> NONE : row[L]) }
	:: atomic { late_delete[P] -> late_delete[P] = false; row[P] = (row[P] == C -> NONE : row[P]) }
	:: atomic { late_commit && tx[P] == PREPARED -> late_commit = false; endPreparedAs(COMMITTED) }
	:: atomic { late_rollback && tx[P] == PREPARED -> late_rollback = false; endPreparedAs(ABORTED) }
	:: LOSE(late_fence[L])
	:: LOSE(late_fence[P])
	:: LOSE(late_delete[L])
	:: LOSE(late_delete[P])
	:: LOSE(late_commit)
	:: LOSE(late_rollback)
#ifdef MUTANT_FENCE_SWEPT
	:: atomic { row[L] == A && FAULT; row[L] = NONE }
#endif
#ifdef BY_HAND
	:: atomic { tx[P] == PREPARED -> by_hand = true; endPreparedAs(ABORTED) }
	:: atomic { tx[P] == PREPARED -> by_hand = true; endPreparedAs(COMMITTED) }
#endif
	od
}
