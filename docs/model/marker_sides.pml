/* The databases of marker.pml, the requests to them, and the network. */

/* ---- the transactions' sessions ---- */

inline answer(at, what) {
	asked[at] = false;
	if
	:: left[at]
	:: !left[at] -> reply[at] = what
	:: !left[at] && FAULT; reply[at] = UNKNOWN
	fi
}

/* broken: a session is gone, and its transaction with it. The client may know that nothing was sent, or cannot tell. */
inline broken(at) {
	tx[at] = (tx[at] == OPEN -> ABORTED : tx[at]);
	alive[at] = false;
	if
	:: left[at] || !asked[at]
	:: !left[at] && asked[at] -> reply[at] = UNKNOWN
	:: !left[at] && asked[at] -> reply[at] = REFUSED
	fi;
	asked[at] = false; left[at] = false
}

inline commitRedo(t) {
	row[AT(S, t)] = C; last[S] = t; times[t]++
}

/* A database at work on the session of t. A marker's insert waits for a redo that has inserted it too. */
proctype Session(bool side; bool t) {
end:	do
	:: atomic { asked[AT(side, t)] && tx[AT(side, t)] == OPEN && (side == D || redo[t] == NO_REDO) ->
		if
		:: row[AT(side, t)] == NONE -> tx[AT(side, t)] = COMMITTED; row[AT(side, t)] = C; last[side] = t;
			times[t] = times[t] + side; answer(AT(side, t), OK)
		:: tx[AT(side, t)] = ABORTED; answer(AT(side, t), REFUSED) /* the marker collides; a deferred constraint */
		fi }
	:: atomic { alive[AT(side, t)] && left[AT(side, t)] -> broken(AT(side, t)) }
	:: atomic { !alive[AT(side, t)] && asked[AT(side, t)] -> broken(AT(side, t)) }
	:: atomic { alive[AT(side, t)] && FAULT; broken(AT(side, t)) } /* it is cut, alone */
	od
}

inline endRedo(t) {
	redo[t] = NO_REDO; redo_left[t] = false; redo_asked[t] = false
}

inline release(side) {
	writer[side] = NOBODY; writer_left[side] = false
}

proctype Server(bool side) {
end:	do
	:: atomic { writer_left[side] -> release(side) }
	:: atomic { writer[side] != NOBODY && FAULT; release(side) } /* the lock's session is cut, alone */
	:: atomic { (alive[AT(side, 0)] || alive[AT(side, 1)] || writer[side] != NOBODY) && FAULT; /* crash and restart */
		broken(AT(side, 0)); broken(AT(side, 1)); release(side);
		if
		:: side == S -> endRedo(0); endRedo(1)
		:: side == D
		fi }
	od
}

/* ---- requests on sessions of their own: each takes effect in one step, and after UNKNOWN it may still arrive. The answer
 * is in the client's r, what was read in its s ---- */

inline readRow(side, t) {
	if
	:: atomic { r = OK; s = row[AT(side, t)] }
	:: atomic { FAULT; r = UNKNOWN }
	fi
}

inline insertFence(at) {
	row[at] = (row[at] == NONE -> A : row[at])
}

#ifndef MUTANT_NO_FENCE
/* fence inserts the row A unless there is one, and waits for a redo that has inserted it; then it reads what is there. */
inline fence(side, t) {
	atomic {
		if
		:: side == D || redo[t] == NO_REDO -> insertFence(AT(side, t)); r = OK
		:: FAULT; late_fence[AT(side, t)] = true; r = UNKNOWN
		fi
	}
	if
	:: r == OK -> s = row[AT(side, t)]
	:: atomic { r == OK && FAULT; r = UNKNOWN }
	:: r != OK
	fi
}
#else
inline fence(side, t) {
	readRow(side, t)
}
#endif

/* await takes the reply to the one request of a session, or gives up: it may still arrive. */
inline await(side) {
	if
	:: atomic { reply[AT(side, p)] != SILENT -> r = reply[AT(side, p)]; reply[AT(side, p)] = SILENT }
	:: atomic { FAULT; r = UNKNOWN }
	:: atomic { FAULT; goto crashed }
	fi;
	if
	:: r == UNKNOWN -> left[AT(side, p)] = alive[AT(side, p)]
	:: else
	fi
}

inline deleteMarker(side) {
	atomic {
		if
		:: row[AT(side, p)] == C -> row[AT(side, p)] = NONE; r = OK
		:: row[AT(side, p)] != C -> r = OK
		:: FAULT; late_delete[AT(side, p)] = true; r = UNKNOWN
		fi
	}
}

/* collect deletes p's markers once the end is synced. What fails is left to the sweep of a later day. */
inline collect() {
#ifndef MUTANT_COLLECT_UNSYNCED
	journal[p] = ENDED_SYNCED;
#endif
	mayCrash();
#ifndef MUTANT_COLLECT_SECONDARY_FIRST
	deleteMarker(D);
	mayCrash();
	if
	:: r == OK -> deleteMarker(S)
	:: else
	fi
#else
	deleteMarker(S);
	mayCrash();
	deleteMarker(D)
#endif
}

#define ARRIVES(at) \
	:: atomic { late_fence[at] && (at < 2 || redo[at - 2] == NO_REDO) -> late_fence[at] = false; insertFence(at) } \
	:: atomic { late_delete[at] -> late_delete[at] = false; row[at] = (row[at] == C -> NONE : row[at]) } \
	:: atomic { late_fence[at] -> late_fence[at] = false } \
	:: atomic { late_delete[at] -> late_delete[at] = false }

/* What arrives late, or never. */
proctype Network() {
end:	do
	ARRIVES(0)
	ARRIVES(1)
	ARRIVES(2)
	ARRIVES(3)
	:: atomic { redo_left[0] -> endRedo(0) }
	:: atomic { redo_left[1] -> endRedo(1) }
	:: atomic { redo_asked[0] && redo[0] == RUN -> commitRedo(0); endRedo(0) }
	:: atomic { redo_asked[1] && redo[1] == RUN -> commitRedo(1); endRedo(1) }
	od
}
