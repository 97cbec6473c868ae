/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The membership protocol: agreement on views, leases, takeover.
 *
 * It follows kernel/holon/{paxos,change,join}.c; README.md says what is left
 * out, why that loses nothing, and what each switch means. ci/models runs it.
 *
 * One process is one node. Every action is one indivisible step over global
 * state. An answer that is lost is a step of its own, and so is one that never
 * comes; an answer that comes late does to its receiver what it would have done
 * at once, or is ignored. What does matter late are ACCEPT and COMMIT: they
 * stay in the network for ever (offer[], view[]), to be received at any time or
 * never, also after their sender has died.
 *
 * Switches: N nodes with ids 0..N-1; FOUNDERS, the members of view 1; EPOCHS,
 * the last epoch; ROUNDS of ballots per node and epoch; TRIES, CRASHES and
 * RESTARTS in all; PROGRESS: trouble ends, and agreement must come to an end.
 */
#ifndef N
#define N 3
#endif
#ifndef FOUNDERS
#define FOUNDERS ((1 << N) - 1)
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef TRIES
#define TRIES 3
#endif
#ifndef CRASHES
#define CRASHES 0	/* one that is silent for ever is worse than a dead one */
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif

/* --- sets of lives ------------------------------------------------------- */

/*
 * A life is (id, incarnation): bit id for the first one, bit id + N for the
 * second. A set of lives is a byte.
 */
#define FIRST_LIVES	((1 << N) - 1)
#define IDS(s)		(((s) | ((s) >> N)) & FIRST_LIVES)
#define ID_BITS(n)	((1 << (n)) | (1 << ((n) + N)))
#define LIFE(n)		(1 << ((n) + N * incarnation[n]))
#define HAS(s, i)	(((s) >> (i)) & 1)

/* Not part of the state. */
hidden byte i, j, k;
hidden byte set;

/* Tables, made once: how many lives there are, and the one of the lowest id. */
hidden byte count[256];
hidden byte lowest[256];

/* More than half, or half with the lowest id: holon_view_quorum(). */
#ifdef BAD_ANY_HALF
#define TIE(v, s)	true
#else
#define TIE(v, s)	((s) & lowest[v])
#endif
#define QUORUM(v, s)	(2 * count[(v) & (s)] > count[v] || \
			 (2 * count[(v) & (s)] == count[v] && TIE(v, s)))

/* --- state --------------------------------------------------------------- */

bool up[N];
bool incarnation[N];
byte epoch[N];		/* of the installed view; 0: none, wants to join */

/* The acceptor for epoch + 1. Ballots are numbers, 0 for none. */
byte promised[N], accepted[N], value[N];

/* The proposer for epoch + 1. */
#define IDLE	0
#define PREPARE	1
#define ACCEPT	2
byte phase[N], ballot[N], promisers[N], accepters[N], best[N], proposal[N];
byte max_round[N];

#define BALLOTS		(N * ROUNDS)
#define BALLOT(r, n)	(((r) - 1) * N + (n) + 1)
#define ROUND(b)	(((b) + N - 1) / N)
#define PROPOSER(b)	(((b) - 1) % N)

/* What was chosen, by epoch. The COMMIT of it, from anybody to anybody. */
byte view[EPOCHS + 2];
/* ACCEPT messages, by epoch and ballot: the set that is proposed. */
byte offer[EPOCHS * BALLOTS];
#define OFFER(e, b)	offer[((e) - 2) * BALLOTS + (b) - 1]

/*
 * Of whom a node has a lease that has not ended; and whose things somebody has
 * taken over.
 */
byte lent[N];
byte taken;

byte tries, crashes, restarts;

/* --- who is what --------------------------------------------------------- */

/*
 * Is this life in that view? The wrong ones are content with the id: for
 * voting, or for everything else.
 */
#ifdef BAD_REBORN_VOTES
#define VOTES(n, e)	(IDS(view[e]) & IDS(LIFE(n)))
#else
#define VOTES(n, e)	(view[e] & LIFE(n))
#endif
#ifdef BAD_REBORN_IS_OLD
#define MEMBER(n, e)	(IDS(view[e]) & IDS(LIFE(n)))
#define AS_MEMBER(n, e)	(view[e] & ID_BITS(n))
#else
#define MEMBER(n, e)	(view[e] & LIFE(n))
#define AS_MEMBER(n, e)	LIFE(n)
#endif

/*
 * Lending. A heartbeat of y proves to x, in view e, that y had voted for no
 * successor of e. It ends with the vote for any successor: x may never hear of
 * the one that it is in, and that one may go on to one without x.
 */
#ifdef BAD_LENDS_AFTER_VOTE
#define VOTED(y, x)	epoch[y]
#else
#ifdef BAD_LENDS_UNTIL_REMOVED
#define VOTED(y, x)	(epoch[y] + (accepted[y] && !(value[y] & LIFE(x))))
#else
#define VOTED(y, x)	(epoch[y] + (accepted[y] != 0))
#endif
#endif
#ifdef BAD_SELF_LENDS
#define LENDS(y, x)	(up[y] && MEMBER(y, epoch[x]) && ((y) == (x) || VOTED(y, x) <= epoch[x]))
#else
#define LENDS(y, x)	(up[y] && MEMBER(y, epoch[x]) && VOTED(y, x) <= epoch[x])
#endif

/* May x run tasks of the cluster? */
#ifdef BAD_ONE_LEASE
#define ACTS(x)		(up[x] && epoch[x] && lent[x])
#else
#define ACTS(x)		(up[x] && epoch[x] && QUORUM(view[epoch[x]], lent[x]))
#endif

/* --- steps that others are made of --------------------------------------- */

inline forget_attempt(n)
{
	phase[n] = IDLE;
	ballot[n] = 0;
	promisers[n] = 0;
	accepters[n] = 0;
	best[n] = 0;
	proposal[n] = 0;
}

/* view_set_basis() */
inline forget_votes(n)
{
	forget_attempt(n);
	promised[n] = 0;
	accepted[n] = 0;
	value[n] = 0;
	max_round[n] = 0;
}

/* A crash; or view_gone(), after which only a new life can come. */
inline end_life(n)
{
	forget_votes(n);
	up[n] = false;
	epoch[n] = 0;
	lent[n] = 0;
}

inline install(n, e)
{
	forget_votes(n);
	epoch[n] = e;
	/* Old proofs hold for the new view too: settle() gives them back. */
	lent[n] = 0;
}

inline see_round(n, b)
{
	max_round[n] = (ROUND(b) > max_round[n] -> ROUND(b) : max_round[n]);
}

/*
 * i has installed its view and waited for a lease and the margin since: it takes
 * over from the lives that are not in it any more. What was lent to them before
 * has ended; what is lent now may have been lent since. To take over at once,
 * as if no time had passed, is the worst case: lenders only become fewer.
 */
inline take_over()
{
	set = 0;
	j = 1;
	do
	:: j < epoch[i] -> set = set | view[j]; j++
	:: else -> break
	od;
	set = set & ~view[epoch[i]] & ~taken;
	taken = taken | set;
#ifndef BAD_NO_WAIT
	j = 0;
	do
	:: j < N ->
		lent[j] = (set & LIFE(j) -> 0 : lent[j]);
		j++
	:: else -> break
	od
#endif
}

/* All that can be lent to i now is lent. */
inline lend()
{
	j = 0;
	do
	:: j < N ->
		lent[i] = (LENDS(j, i) -> lent[i] | AS_MEMBER(j, epoch[i]) : lent[i]);
		j++
	:: else -> break
	od
}

/* Can j still accept ballot k for epoch i? */
#define OF_USE_TO(j) \
	(up[j] && VOTES(j, i - 1) && (epoch[j] < i - 1 || \
	 (epoch[j] == i - 1 && k >= promised[j] && accepted[j] != k)))

/* What nobody can receive any more leaves the network: fewer states. */
inline clean_up()
{
	k = 1;
	do
	:: k <= BALLOTS ->
		if
		:: OFFER(i, k) ->
			set = 0;
			j = 0;
			do
			:: j < N -> set = set | OF_USE_TO(j); j++
			:: else -> break
			od;
			OFFER(i, k) = (set -> OFFER(i, k) : 0)
		:: else
		fi;
		k++
	:: else -> break
	od
}

/* Ends every step, and checks that who was taken over does not act. */
inline settle()
{
	i = 0;
	do
	:: i < N ->
		if
		:: up[i] && epoch[i] > 1 -> take_over()
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < N ->
		if
		:: up[i] && epoch[i] ->
			lend();
			assert(!(taken & LIFE(i)) || !ACTS(i))
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 2;
	do
	:: i <= EPOCHS -> clean_up(); i++
	:: else -> break
	od;
	i = 0; j = 0; k = 0; set = 0
}

/* --- agreement: change.c ------------------------------------------------- */

#ifdef PROGRESS
/* When it is calm nobody may run out of rounds: see begin(). */
#define MORE_TRIES(p)	(calm || (max_round[p] < ROUNDS && tries < TRIES))
#else
#define MORE_TRIES(p)	(max_round[p] < ROUNDS && tries < TRIES)
#endif
#define CAN_BEGIN(p) \
	(up[p] && epoch[p] && epoch[p] < EPOCHS && MORE_TRIES(p))

/* Also in the middle of another attempt, which is given up then. */
inline begin(p)
{
	forget_attempt(p);
	assert(max_round[p] < ROUNDS);
	tries = (tries < TRIES -> tries + 1 : tries);
	max_round[p]++;
	ballot[p] = BALLOT(max_round[p], p);
	phase[p] = PREPARE
}

/*
 * PREPARE of p reaches a. It carries the view whose members vote, so that an a
 * that missed its COMMIT can. A node without a view votes in none.
 */
#ifdef BAD_REBORN_VOTES
#define CAN_CATCH_UP(a)	true
#else
#define CAN_CATCH_UP(a)	epoch[a]
#endif
#define PREPARE_ARRIVES(p, a) \
	(up[p] && up[a] && phase[p] == PREPARE && VOTES(a, epoch[p]) && CAN_CATCH_UP(a) && \
	 epoch[a] <= epoch[p] && !(promisers[p] & view[epoch[p]] & ID_BITS(a)))
#define PREPARE_WINS(p, a) \
	(epoch[a] < epoch[p] || ballot[p] >= promised[a])

inline promise(p, a)
{
	if
	:: epoch[a] < epoch[p] -> install(a, epoch[p])
	:: else
	fi;
	see_round(a, ballot[p]);
	promised[a] = ballot[p]
}

inline on_promise(p, a)
{
	promisers[p] = promisers[p] | (view[epoch[p]] & ID_BITS(a));
	if
#ifndef BAD_NO_READ
	:: accepted[a] > best[p] ->
		best[p] = accepted[a];
		proposal[p] = value[a]
#endif
	:: else
	fi
}

/* A ballot of p, in PREPARE or ACCEPT, meets a higher promise. */
#define NACK_ARRIVES(p, a) \
	(up[p] && up[a] && phase[p] != IDLE && epoch[a] == epoch[p] && VOTES(a, epoch[p]) && \
	 ballot[p] < promised[a])

inline on_nack(p, a)
{
	see_round(p, promised[a]);
	forget_attempt(p)
}

#define CAN_PROPOSE(p)	(up[p] && phase[p] == PREPARE && QUORUM(view[epoch[p]], promisers[p]))

/* A joiner: without a view, and its id is not in ours. */
#define JOINER(n, p)	(up[n] && !epoch[n] && !(IDS(view[epoch[p]]) & IDS(LIFE(n))))

/*
 * wanted_view(): a clique of those who promised, with joiners. Who hears whom
 * is anything, so the clique is any set that is left a quorum.
 */
inline wish(p)
{
	set = promisers[p];
	k = 0;
	do
	:: k < N && (promisers[p] & ID_BITS(k)) && QUORUM(view[epoch[p]], set & ~ID_BITS(k)) ->
		set = set & ~ID_BITS(k); k++
	:: k < N && JOINER(k, p) -> set = set | LIFE(k); k++
	:: k < N -> k++
	:: k == N -> break
	od;
	proposal[p] = set;
	k = 0
}

inline propose(p)
{
	phase[p] = ACCEPT;
	promisers[p] = 0;
	best[p] = 0;
	OFFER(epoch[p] + 1, ballot[p]) = proposal[p]
}

/* ACCEPT of ballot b reaches a. */
#define ACCEPT_ARRIVES(a, b) \
	(up[a] && epoch[a] && epoch[a] < EPOCHS && OFFER(epoch[a] + 1, b) && \
	 VOTES(a, epoch[a]) && b >= promised[a] && accepted[a] != b)
#define IS_WAITED_FOR(a, b) \
	(up[PROPOSER(b)] && phase[PROPOSER(b)] == ACCEPT && ballot[PROPOSER(b)] == b && \
	 epoch[PROPOSER(b)] == epoch[a])

inline accept(a, b)
{
	see_round(a, b);
	promised[a] = b;
	accepted[a] = b;
	value[a] = OFFER(epoch[a] + 1, b)
}

inline on_accepted(p, a)
{
	accepters[p] = accepters[p] | (view[epoch[p]] & ID_BITS(a))
}

#define IS_CHOSEN(p)	(up[p] && phase[p] == ACCEPT && QUORUM(view[epoch[p]], accepters[p]))

inline chosen(p)
{
	k = epoch[p] + 1;
	/* One set per epoch. */
	assert(!view[k] || view[k] == proposal[p]);
	/* It goes on from its predecessor. */
	assert(QUORUM(view[k - 1], proposal[p]));
	view[k] = proposal[p];
	learn(p, k);
	k = 0
}

/* --- COMMIT and EVICTED -------------------------------------------------- */

#define CAN_LEARN(n, e)	(up[n] && view[e] && epoch[n] < e && (epoch[n] || MEMBER(n, e)))

inline learn(n, e)
{
	if
	:: MEMBER(n, e) -> install(n, e)
	:: else -> end_life(n)
	fi
}

/* --- does it end? --------------------------------------------------------- */

#ifdef PROGRESS
/*
 * After some trouble it becomes calm: nothing fails any more, no message is
 * lost, and one link is cut in one direction, or none. Then each run must come
 * to an end in which everybody has agreed. For three nodes, without joiners.
 *
 * Of the clocks only the order remains: "timeout" is when nothing else can
 * happen, so what is there arrives before anybody gives up.
 */
bool calm;
byte cut_from, cut_to;	/* ids; equal: no cut */
bool lanes_broken;	/* who is not acknowledged closes the lane too */

#define CUT(a, b)	(cut_from != cut_to && cut_from == (a) && cut_to == (b))
#define MISSES(p, n) \
	((view[epoch[p]] & ID_BITS(n)) && \
	 (!up[n] || !VOTES(n, epoch[p]) || CUT(n, p) || (lanes_broken && CUT(p, n))))
#define SUSPECTED(p) \
	(MISSES(p, 0) * ID_BITS(0) | MISSES(p, 1) * ID_BITS(1) | MISSES(p, 2) * ID_BITS(2))
/* An attempt without a quorum that hears it and is heard has no effect: left out. */
#define DEAF_TO(p)	(CUT(p, cut_to) * ID_BITS(cut_to))
#define HAS_QUORUM(p)	QUORUM(view[epoch[p]], view[epoch[p]] & ~SUSPECTED(p) & ~DEAF_TO(p))
#define REPORTS(q, p) \
	(up[q] && epoch[q] == epoch[p] && !MISSES(p, q) && !MISSES(q, p) && SUSPECTED(q))
/* work_to_do() */
#define HAS_REASON(p) \
	(up[p] && epoch[p] && epoch[p] < EPOCHS && HAS_QUORUM(p) && \
	 (SUSPECTED(p) || promised[p] || REPORTS(0, p) || REPORTS(1, p) || REPORTS(2, p)))
#define SOMEBODY_PROPOSES	(CAN_PROPOSE(0) || CAN_PROPOSE(1) || CAN_PROPOSE(2))
#define SOMEBODY_HAS_REASON	(HAS_REASON(0) || HAS_REASON(1) || HAS_REASON(2))

#define TROUBLE		!calm
#define MAY_BEGIN(p)	(!calm || (timeout && HAS_REASON(p) && !SOMEBODY_PROPOSES))
#define REACHES(p, a)	(!calm || (!MISSES(p, a) && !CUT(p, a)))
/* Whoever lives answers or is suspected in the end. */
#define IS_GATHERED(p) \
	(!calm || !(view[epoch[p]] & ~SUSPECTED(p) & ~promisers[p]) || timeout)
#define KNOWS(z, n, e)	(up[z] && epoch[z] == (e) && !CUT(z, n))
#define IS_TOLD(n, e)	(!calm || KNOWS(0, n, e) || KNOWS(1, n, e) || KNOWS(2, n, e))
#define ANSWERS(a, p)	(!calm || !CUT(a, p))

/* holon_clique() with one missing edge: the higher id of the two goes. */
inline calm_wish(p)
{
	k = (cut_from > cut_to -> cut_from : cut_to);
	set = promisers[p];
#ifndef BAD_NO_CLIQUE
	set = (cut_from != cut_to && (set & ID_BITS(cut_from)) && (set & ID_BITS(cut_to)) ->
	       set & ~ID_BITS(k) : set);
#endif
	proposal[p] = (QUORUM(view[epoch[p]], set) -> set : 0);
	k = 0
}

/* In the end: in a view of which all live, hear one another and know it, or stopped. */
#define IS_SETTLED(n) \
	(!up[n] || !epoch[n] || (epoch[n] < EPOCHS && !HAS_QUORUM(n)) || \
	 (epoch[n] < EPOCHS && !SUSPECTED(n) && !promised[n] && \
	  !(cut_from != cut_to && (view[epoch[n]] & ID_BITS(cut_from)) && \
	    (view[epoch[n]] & ID_BITS(cut_to)))))

#define BECOME_CALM(from, to) \
	:: d_step { !calm -> calm = true; cut_from = from; cut_to = to }

proctype world()
{
end:	do
	BECOME_CALM(0, 0)
	BECOME_CALM(0, 1)
	BECOME_CALM(1, 0)
	BECOME_CALM(0, 2)
	BECOME_CALM(2, 0)
	BECOME_CALM(1, 2)
	BECOME_CALM(2, 1)
	:: atomic { calm && timeout && !SOMEBODY_HAS_REASON && !SOMEBODY_PROPOSES && !lanes_broken ->
		lanes_broken = true }
	:: atomic { calm && timeout && !SOMEBODY_HAS_REASON && !SOMEBODY_PROPOSES && lanes_broken ->
		assert(IS_SETTLED(0) && IS_SETTLED(1) && IS_SETTLED(2)) } -> break
	od
}

#define LOSE_ACCEPTS(b) \
	:: d_step { !calm && OFFER(2, b) -> OFFER(2, b) = 0 }
#else
#define TROUBLE		true
#define MAY_BEGIN(p)	true
#define REACHES(p, a)	true
#define IS_GATHERED(p)	true
#define IS_TOLD(n, e)	true
#define ANSWERS(a, p)	true
#endif

/* --- a node -------------------------------------------------------------- */

/*
 * Answers that are lost after their sender noted what it promised or accepted.
 * Nothing comes of them that cannot come of less: the acceptor might as well not
 * have been asked, and the proposer might as well not have looked.
 */
#ifdef LOST_ANSWERS
#define LOSSY	true
#define PROMISE_IS_LOST(a) \
	:: d_step { PREPARE_ARRIVES(n, a) && PREPARE_WINS(n, a) && \
		    (epoch[a] < epoch[n] || promised[a] != ballot[n]) -> \
		promise(n, a); settle() }
#else
#define LOSSY	false
#define PROMISE_IS_LOST(a)
#endif

#define PREPARE_TO(a) \
	:: d_step { PREPARE_ARRIVES(n, a) && PREPARE_WINS(n, a) && REACHES(n, a) -> \
		promise(n, a); on_promise(n, a); settle() } \
	PROMISE_IS_LOST(a) \
	:: d_step { NACK_ARRIVES(n, a) && REACHES(n, a) -> on_nack(n, a); settle() }

#define ACCEPT_OF(b) \
	:: d_step { ACCEPT_ARRIVES(n, b) && IS_WAITED_FOR(n, b) && ANSWERS(n, PROPOSER(b)) -> \
		accept(n, b); on_accepted(PROPOSER(b), n); settle() } \
	:: d_step { ACCEPT_ARRIVES(n, b) && (LOSSY || !IS_WAITED_FOR(n, b) || !ANSWERS(n, PROPOSER(b))) -> \
		accept(n, b); settle() }

#define LEARN(e) \
	:: d_step { CAN_LEARN(n, e) && IS_TOLD(n, e) -> learn(n, e); settle() }

proctype node(byte n)
{
end:	do
	:: atomic { CAN_BEGIN(n) && MAY_BEGIN(n) -> d_step { begin(n); settle() } }
	PREPARE_TO(0)
	PREPARE_TO(1)
#if N > 2
	PREPARE_TO(2)
#endif
#if N > 3
	PREPARE_TO(3)
#endif
	:: atomic { CAN_PROPOSE(n) && IS_GATHERED(n) ->
		if
		:: proposal[n] -> skip
#ifdef PROGRESS
		:: !proposal[n] && calm -> calm_wish(n)
#endif
		:: !proposal[n] && TROUBLE -> wish(n)
		fi;
		d_step {
			if
			:: proposal[n] -> propose(n)
			:: else -> forget_attempt(n)
			fi;
			settle()
		} }
	ACCEPT_OF(1)
	ACCEPT_OF(2)
#if N * ROUNDS > 2
	ACCEPT_OF(3)
#endif
#if N * ROUNDS > 3
	ACCEPT_OF(4)
#endif
#if N * ROUNDS > 4
	ACCEPT_OF(5)
	ACCEPT_OF(6)
#endif
#if N * ROUNDS > 6
	ACCEPT_OF(7)
	ACCEPT_OF(8)
#endif
#if N * ROUNDS > 8
	ACCEPT_OF(9)
#endif
#if N * ROUNDS > 9
	ACCEPT_OF(10)
	ACCEPT_OF(11)
	ACCEPT_OF(12)
#endif
	:: d_step { IS_CHOSEN(n) -> chosen(n); settle() }
	LEARN(2)
#if EPOCHS > 2
	LEARN(3)
#endif
#if EPOCHS > 3
	LEARN(4)
#endif
#if EPOCHS > 4
	LEARN(5)
#endif
#ifdef PROGRESS
	LOSE_ACCEPTS(1)
	LOSE_ACCEPTS(2)
	LOSE_ACCEPTS(3)
	LOSE_ACCEPTS(4)
	LOSE_ACCEPTS(5)
	LOSE_ACCEPTS(6)
#endif
	:: d_step { TROUBLE && up[n] && crashes < CRASHES -> crashes++; end_life(n); settle() }
	:: d_step { TROUBLE && !incarnation[n] && restarts < RESTARTS ->
		restarts++; end_life(n); incarnation[n] = 1; up[n] = true; settle() }
	od
}

init
{
	d_step {
		k = 1;
		do
		:: k ->
			i = 0;
			do
			:: i < 2 * N ->
				count[k] = count[k] + HAS(k, i);
				i++
			:: else -> break
			od;
			i = 0;
			do
			:: (k & ID_BITS(i)) -> break
			:: else -> i++
			od;
			lowest[k] = k & ID_BITS(i);
			k++
		:: else -> break	/* it has come round */
		od;
		view[1] = FOUNDERS;
		k = 0;
		do
		:: k < N ->
			up[k] = true;
			epoch[k] = HAS(FOUNDERS, k);
			k++
		:: else -> break
		od;
		k = 0;
		settle()
	};
	atomic {
		run node(0); run node(1);
#if N > 2
		run node(2);
#endif
#if N > 3
		run node(3);
#endif
#ifdef PROGRESS
		run world()
#endif
	}
}
