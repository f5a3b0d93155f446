/*
 * sim: a day of a contact centre, run through the real rules of routing (routing.c, people.c) and through three simpler policies.
 *
 * One seed is one day: who comes when with what, which rep works when, and how long each chat takes are drawn first
 * (sim_day.c); then each policy runs the same day (sim_run.c). What a rep answers to an offer is drawn from seed, chat and
 * attempt, so it doesn't depend on the policy either.
 * Units  epoch-less milliseconds since midnight.   Thread  one.   Source  rules 1.2 to 1.5; docs/routing.md.
 */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>

#include "routing/routing.h"

#define SIM_REPS 60
#define SIM_SKILLS 3
#define SIM_CHATS_MAX 12000
#define SIM_SEEDS 30
#define SIM_MINUTE 60000LL
#define SIM_HOUR (60 * SIM_MINUTE)

/* The parameters; docs/routing.md prints them. */
#define SIM_OPEN_MS (8 * SIM_HOUR)
#define SIM_CLOSE_MS (22 * SIM_HOUR)       /* nobody comes later; those who are there are still served */
#define SIM_HANDLING_MS (8 * SIM_MINUTE)   /* mean of a chat that has its rep alone; lognormal */
#define SIM_HANDLING_SIGMA 0.8
#define SIM_SLOWER 0.05                    /* each further chat of the rep makes one this much longer */
#define SIM_PATIENCE_MS (12 * SIM_MINUTE)  /* mean; exponential */
#define SIM_OFFER_MS 30000                 /* routing.offer_ms */
#define SIM_ANSWER_MS 5000                 /* mean time until an offer is accepted; exponential */
#define SIM_MISSED 0.03                    /* of the offers run into the deadline */
#define SIM_BREAK_MS (30 * SIM_MINUTE)     /* each rep's pause in the middle of the shift */
#define SIM_ANSWERED_IN_MS 60000           /* service level: the share of all chats answered within it */

struct sim_chat {
    int64_t at_ms, patience_ms, handling_ms;
    enum class class_;
    unsigned skill;
    int owner; /* rep of the case that it comes back to, or -1 */
};

struct sim_rep {
    struct people_rep p; /* skills and departments by name, capacity */
    int64_t from_ms, to_ms, break_ms;
};

struct sim_day {
    uint64_t seed;
    struct sim_rep rep[SIM_REPS];
    struct sim_chat chat[SIM_CHATS_MAX];
    unsigned chats_n;
};

enum sim_policy { SIM_OURS, SIM_ROUND_ROBIN, SIM_LONGEST_IDLE, SIM_FIFO, SIM_POLICY_N };
const char *sim_policy_name(enum sim_policy p);

/* One day by one policy. */
struct sim_result {
    double service_level;          /* percent */
    double longest_s[CLASS_N];     /* wait, whether it ended with a rep or with the shopper's leaving */
    double mean_s;                 /* wait of those who were answered */
    double abandoned;              /* percent */
    double jain;                   /* of the reps' shares of their own capacity that they had in use while on shift */
    double eta_error_s;            /* median |expected − real wait| of those who had to queue and were answered */
    double naive_error_s;          /* the same for position × mean handling time ÷ reps */
    double per_slot_error_s;       /* and for position × mean handling time ÷ the reps' capacity */
    double queued;                 /* percent of chats that had to queue */
    unsigned overtaken;            /* takes that broke the bound of rule 1.2 */
    int64_t head_start_used_ms;    /* most that anybody was overtaken by */
};

/* Fills *out; the same seed gives the same day. */
void sim_day_make(uint64_t seed, struct sim_day *out);
void sim_run(const struct sim_day *day, enum sim_policy policy, struct sim_result *out);

/* A number in [0, 1) that depends on its arguments alone. */
double sim_draw(uint64_t seed, uint64_t a, uint64_t b);

/* Writes the tables as Markdown to f, and the plot to svg. r[seed][policy]. Returns how many targets were missed. */
unsigned sim_report(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, FILE *f, FILE *svg);

extern const int64_t sim_head_start_ms[CLASS_N];
extern const double sim_class_share[CLASS_N];

#endif
