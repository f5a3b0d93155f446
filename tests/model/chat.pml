/*
 * One chat on two nodes: claim, offer, handover, take-back, grace, fence; checked exhaustively with spin (run.sh).
 *
 * What is modelled  The log in Redis and the one atomic step that compares and appends (schema/lua/commit.lua); two nodes, each
 *   with one decision of this chat under way at a time; three reps who may send any command through either node, also the same
 *   message through both; the shopper; connections that come and go, and a node that is taken for dead while its decision is
 *   still on the way. A node decides on its own copy, which may be old: to decide on an old state now, or to have decided when it
 *   was new and to be slow with the commit, is the same to the log, so the model knows slow commits only.
 * What is not       Other chats (capacity), offers' and handovers' dates (they may be missed at any time), parking, care; a resolution
 *   that is proposed before anybody owns the case; more than one message of each rep to the shopper.
 *
 * Properties (assertions, the rule or promise each is from):
 *   P1 one owner             once there is an owner, it is never another                                    rule 2.1
 *   P2 one handler           an offer, a claim, a reply that race for a chat without a handler have one winner; a handler is
 *                            replaced only by an entry that says so                                         rules 2.1, 2.2, 2.4
 *   P3 no old fence          what a rep writes to the shopper is appended only while that rep is the handler, and never
 *                            into a chat that is over                                                       rules 2.2, 2.12
 *   P4 never lost            the chat is in exactly one place: queue, on offer to somebody, with a handler, over; and when all is
 *                            quiet, nobody who is gone holds it                                             rules 2.4, 2.8
 *   P5 really gone           a handler loses the chat by the grace only without any connection in that moment      rule 2.8
 *   P6 once                  the same message sent through both nodes stands in the log once                       PROMISES
 *   P7 no unseen question    a resolution is not proposed over a question that its node has not seen        rule 2.3
 *
 * How numbers are modelled  A fence or a head is only ever compared for equality with what was read, and both only grow: so of each
 *   decision on its way two bits are kept, "the log has grown since" and "its fence has moved since", instead of the numbers.
 *
 * -DBREAK_FENCE, -DBREAK_HEAD, -DBREAK_GRACE, -DBREAK_ID leave out one comparison each: run.sh demands that each is found.
 * -DENTRIES=N bounds the log that people make; what the system must do (rules 2.8, 1.4) comes on top. -DREPS=N: 2 or 3. -DFLIPS=N: how
 * often a connection comes or goes.
 */
#ifndef ENTRIES
#define ENTRIES 5
#endif
#ifndef REPS
#define REPS 3
#endif
#ifndef FLIPS
#define FLIPS 2
#endif

#define WAITING  0
#define OFFERED  1
#define ASSIGNED 2
#define ACTIVE   3
#define PROPOSED 4
#define CLOSED   5

/* commands, as decided */
#define NOTHING  0
#define OFFER    1
#define CLAIM    2
#define REPLY    3  /* claims and writes in one step */
#define ACCEPT   4
#define PASS     5  /* declined or missed */
#define WRITE    6
#define HAND     7  /* handover offered */
#define HANDED   8  /* accepted */
#define KEEP     9  /* handover refused or missed */
#define TAKE_BACK 10
#define LOST     11 /* the grace is over */
#define BACK     12 /* the lost handler is there again */
#define ASK      13 /* the shopper writes */
#define PROPOSE  14
#define CONFIRM  15
#define REFUSE   16

typedef Chat {
    byte n, st, owner, handler, offered, lost, to;
    bit question
};

/* What a node has decided and not yet committed. */
typedef Decision {
    byte what, rep;
    bit owning;
    bit by_fence;     /* compares the fence alone */
    bit grown, moved  /* since it was decided: the log has grown; its fence has moved */
};
Decision d[2];
#define kind  d[me].what
#define who   d[me].rep
#define owns  d[me].owning
#define plain d[me].by_fence

Chat log;            /* what stands in Redis: the fold of the log */
bit seen[4];         /* ids of the reps' messages that the log knows */
bit here[4];         /* rep r has a live connection to some node, as Redis knows it */

/* Ghosts: what an observer remembers; no node reads them. */
byte first_owner;
byte winner;         /* who was told "ok, it is yours" */
byte written[4];

#define HERE(r) here[r]

#if REPS > 2
#define any_rep(r) if :: r = 1 :: r = 2 :: r = 3 fi
#else
#define any_rep(r) if :: r = 1 :: r = 2 fi
#endif

/* chat_decide: what may be decided on the copy log. Refusals are left out: they append nothing. */
inline decide()
{
    if
    :: log.st == WAITING -> any_rep(who);
        if
        :: log.lost == who -> kind = BACK
        :: log.lost != who -> kind = OFFER
        fi
    :: log.st == WAITING || log.st == OFFERED -> any_rep(who);
        if
        :: kind = CLAIM
        :: kind = REPLY; owns = (log.owner == 0)
        fi
    :: log.st == OFFERED -> who = log.offered;
        if
        :: kind = ACCEPT
        :: kind = PASS
        fi
    :: log.st == ASSIGNED || log.st == ACTIVE || log.st == PROPOSED -> who = log.handler; kind = WRITE; owns = (log.owner == 0);
        plain = !(log.st == ASSIGNED || owns)
    :: (log.st == ASSIGNED || log.st == ACTIVE) && log.to == 0 -> any_rep(who);
        if
        :: who != log.handler -> kind = HAND
        :: else -> who = 0 /* to oneself: refused */
        fi
    :: log.to != 0 -> who = log.to;
        if
        :: kind = HANDED
        :: kind = KEEP
        fi
    :: log.owner != 0 && log.owner != log.handler && log.st != CLOSED -> who = log.owner; kind = TAKE_BACK
    :: log.st != CLOSED -> kind = ASK; plain = true
    :: (log.st == ASSIGNED || log.st == ACTIVE) && log.owner != 0 && !log.question -> who = log.handler; kind = PROPOSE
    :: log.st == PROPOSED -> kind = CONFIRM
    :: log.st == PROPOSED -> kind = REFUSE
    fi
}

/* The guards that a decision takes along (chat_guard). */
#define NEEDS_HERE (kind == OFFER || kind == CLAIM || kind == REPLY || kind == ACCEPT || kind == HAND || kind == HANDED || kind == TAKE_BACK || kind == BACK)
#ifdef BREAK_GRACE
#define GUARDS_HOLD (!NEEDS_HERE || HERE(who))
#else
#define GUARDS_HOLD ((!NEEDS_HERE || HERE(who)) && (kind != LOST || !HERE(who)))
#endif

/* What the script compares: plain messages the fence, all else the head too. */
#ifdef BREAK_FENCE
#define MOVED_ON (!plain && d[me].grown)
#else
#ifdef BREAK_HEAD
#define MOVED_ON (d[me].moved)
#else
#define MOVED_ON (d[me].moved || (!plain && d[me].grown))
#endif
#endif

#ifdef BREAK_ID
#define IS_REPEATED false
#else
#define IS_REPEATED ((kind == WRITE || kind == REPLY) && seen[who])
#endif

inline won() /* P2 */
{
    assert(winner == 0 && log.handler == 0);
    winner = who
}

inline own() /* P1 */
{
    assert(first_owner == 0 && log.owner == 0);
    first_owner = who;
    log.owner = who
}

inline written_by_handler() /* P3, P6 */
{
    assert(log.handler == who && log.st != CLOSED && log.st != WAITING && log.st != OFFERED);
    assert(written[who] == 0);
    written[who]++;
    seen[who] = 1;
    log.question = 0
}

#define handled_by(r) log.handler = r; log.offered = 0; log.lost = 0; log.to = 0

/* Appends the decided entries and folds them; raises: an entry that raises the fence. */
inline append()
{
    raises = true;
    if
    :: kind == OFFER -> assert(log.st == WAITING); log.st = OFFERED; log.offered = who
    :: kind == CLAIM || kind == ACCEPT -> won(); handled_by(who); log.st = ASSIGNED
    :: kind == BACK -> won(); handled_by(who); log.st = ACTIVE
    :: kind == REPLY -> won(); handled_by(who); log.st = ACTIVE;
        if
        :: owns -> own()
        :: else
        fi;
        written_by_handler()
    :: kind == PASS -> assert(log.st == OFFERED && log.offered == who); log.st = WAITING; log.offered = 0
    :: kind == WRITE -> written_by_handler(); raises = owns;
        if
        :: owns -> own()
        :: else
        fi;
        if
        :: log.st == ASSIGNED -> log.st = ACTIVE
        :: else
        fi
    :: kind == HAND -> assert(log.to == 0 && log.handler != 0); log.to = who
    :: kind == HANDED -> assert(log.to == who && winner == log.handler); winner = who; handled_by(who)
    :: kind == KEEP -> assert(log.to == who); log.to = 0
    :: kind == TAKE_BACK -> assert(log.owner == who && log.handler != who); winner = who; handled_by(who);
        if
        :: log.st != PROPOSED -> log.st = ACTIVE
        :: else
        fi
    :: kind == LOST ->
        assert(!HERE(who)); /* P5 */
        if
        :: log.handler == who -> log.lost = who; log.handler = 0; winner = 0
        :: else -> assert(log.offered == who)
        fi;
        log.st = WAITING; log.offered = 0; log.to = 0
    :: kind == ASK -> raises = false; log.question = 1
    :: kind == PROPOSE -> assert(!log.question); /* P7 */ log.st = PROPOSED; log.to = 0
    :: kind == CONFIRM -> assert(log.st == PROPOSED); log.st = CLOSED
    :: kind == REFUSE -> assert(log.st == PROPOSED); log.question = 1;
        if
        :: HERE(log.owner) -> log.st = ASSIGNED; winner = log.owner; handled_by(log.owner)
        :: else -> log.st = WAITING; handled_by(0); winner = 0
        fi
    fi;
    log.n++;
    d[1 - me].grown = (d[1 - me].what != NOTHING);
    d[1 - me].moved = (d[1 - me].what != NOTHING && (d[1 - me].moved || raises));
    /* P4: in exactly one place */
    assert((log.st == WAITING) -> (log.handler == 0 && log.offered == 0 && log.to == 0) : true);
    assert((log.st == OFFERED) -> (log.handler == 0 && log.offered != 0 && log.to == 0) : true);
    assert((log.st >= ASSIGNED) -> (log.handler != 0 && log.offered == 0 && log.handler == winner) : true);
    assert(log.owner == first_owner)
}

inline forget()
{
    kind = NOTHING; who = 0; owns = 0; plain = 0; raises = 0; d[me].grown = 0; d[me].moved = 0
}

/* Whose loss the node sees: the handler of a served chat, or the rep who was offered it. */
#define HOLDER ((log.st == OFFERED -> log.offered : (log.st == ASSIGNED || log.st == ACTIVE -> log.handler : 0)))

proctype Node(byte me)
{
    bit raises;

end:
    do
    :: atomic { kind == NOTHING && log.n < ENTRIES && log.st != CLOSED -> decide() }
    :: atomic { /* a grace time is over: seen now, looked at again in the commit */
            kind == NOTHING && HOLDER != 0 && !HERE(HOLDER) && log.n < ENTRIES + 4 -> kind = LOST; who = HOLDER
        }
    :: atomic { /* the commit: since the decision the other node may have committed, as often as it likes, and connections come and go */
            kind != NOTHING ->
            if
            :: IS_REPEATED || MOVED_ON || !GUARDS_HOLD
            :: else -> append()
            fi;
            forget()
        }
    od
}

/* Connections: each time one rep comes or goes, or a node is taken for dead with two reps who have no other; it may go on. */
proctype World()
{
    byte r, n;

    do
    :: atomic { n < FLIPS -> any_rep(r); n++;
            if
            :: here[r] = !here[r]
            :: here[REPS - 1] = 0; here[REPS] = 0
            fi;
            r = 0
        }
    :: n == FLIPS -> break
    od
}

/* P4: when nobody has anything left to do, the chat is over, in the queue, or with somebody who is there. */
proctype Quiet()
{
    timeout;
    assert(HOLDER == 0 || HERE(HOLDER))
}

init
{
    atomic {
        log.n = 1; log.st = WAITING; log.question = 1;
        here[1] = 1; here[2] = 1; here[REPS] = 1;
        run Node(0); run Node(1); run World(); run Quiet()
    }
}
