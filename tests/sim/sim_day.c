/* What happens on a day, whatever the policy. Header: sim.h. */
#include "sim.h"

#include <math.h>
#include <string.h>

const int64_t sim_head_start_ms[CLASS_N] = {
    [CLASS_VIP] = 600000, [CLASS_RETURNING] = 900000, [CLASS_CARE] = 1800000, [CLASS_URGENT] = 3600000};
const double sim_class_share[CLASS_N] = {
    [CLASS_NORMAL] = 0.70, [CLASS_VIP] = 0.10, [CLASS_RETURNING] = 0.12, [CLASS_CARE] = 0.06, [CLASS_URGENT] = 0.02};

/* Chats an hour, for each hour of the day: a peak before noon and a higher one in the evening. */
static const double per_hour[24] = {[8] = 350,  [9] = 560,  [10] = 780, [11] = 860, [12] = 700, [13] = 580, [14] = 560,
                                    [15] = 600, [16] = 640, [17] = 680, [18] = 720, [19] = 860, [20] = 980, [21] = 640};

/* The shifts, with how many of the reps they have. */
static const struct {
    int64_t from_ms, to_ms;
    unsigned reps;
} shifts[] = {{8 * SIM_HOUR, 16 * SIM_HOUR, 22}, {10 * SIM_HOUR, 18 * SIM_HOUR, 12}, {14 * SIM_HOUR, 22 * SIM_HOUR, 26}};

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

double sim_draw(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t z = mix(mix(mix(seed * 0x9e3779b97f4a7c15ULL + 1) + a * 0xd1342543de82ef95ULL) + b * 0x9e3779b97f4a7c15ULL);

    return (double)(z >> 11) / 9007199254740992.0;
}

struct dice {
    uint64_t x;
};

static double roll(struct dice *d)
{
    d->x += 0x9e3779b97f4a7c15ULL;
    return (double)(mix(d->x) >> 11) / 9007199254740992.0;
}

static double exponential(struct dice *d, double mean)
{
    return -mean * log(1 - roll(d));
}

static double lognormal(struct dice *d, double mean, double sigma)
{
    double normal = sqrt(-2 * log(1 - roll(d))) * cos(6.283185307179586 * roll(d));

    return mean * exp(sigma * normal - sigma * sigma / 2);
}

static const char *const skills[SIM_SKILLS] = {"orders", "returns", "repairs"};

/* Each rep has one skill for certain and each of the others with one chance in three: one, two or three. */
static void make_rep(struct dice *d, struct sim_rep *r, unsigned number, unsigned shift)
{
    memset(r, 0, sizeof *r);
    snprintf(r->p.id, sizeof r->p.id, "r_%02u", number);
    r->p.roles = ROLE_REP;
    r->p.capacity = 3 + (int64_t)(roll(d) * 3); /* 3, 4 or 5 */
    for (unsigned k = 0; k < SIM_SKILLS; k++) {
        bool has = k == number % SIM_SKILLS || roll(d) < 1.0 / 3;

        if (has) {
            people_list_add(&r->p.skills, str_of(skills[k]));
            people_list_add(&r->p.departments, str_of(skills[k]));
        }
    }
    r->from_ms = shifts[shift].from_ms;
    r->to_ms = shifts[shift].to_ms;
    r->break_ms = r->from_ms + 3 * SIM_HOUR + (int64_t)(roll(d) * 2 * SIM_HOUR);
}

static bool has_skill(const struct sim_rep *r, unsigned skill)
{
    return people_list_has(&r->p.skills, str_of(skills[skill]));
}

static void make_chat(struct dice *d, const struct sim_day *day, int64_t at_ms, struct sim_chat *c)
{
    static const double skill_share[SIM_SKILLS] = {0.36, 0.33, 0.31};
    double x = roll(d);

    *c = (struct sim_chat){.at_ms = at_ms, .owner = -1};
    for (unsigned k = 0; k < CLASS_N && x >= 0; k++) {
        c->class_ = (enum class)k;
        x -= sim_class_share[k];
    }
    x = roll(d);
    for (unsigned k = 0; k < SIM_SKILLS && x >= 0; k++) {
        c->skill = k;
        x -= skill_share[k];
    }
    c->patience_ms = (int64_t)exponential(d, SIM_PATIENCE_MS) + 1000;
    c->handling_ms = (int64_t)lognormal(d, SIM_HANDLING_MS, SIM_HANDLING_SIGMA) + 1000;
    if (c->class_ != CLASS_RETURNING)
        return;
    do
        c->owner = (int)(roll(d) * SIM_REPS);
    while (!has_skill(&day->rep[c->owner], c->skill));
}

/* Arrivals by thinning: as many as in the busiest hour, each kept with the chance of its own hour (linear between mid-hours). */
void sim_day_make(uint64_t seed, struct sim_day *out)
{
    struct dice d = {mix(seed)};
    double peak = 1000, at = (double)SIM_OPEN_MS;
    unsigned n = 0;

    out->seed = seed;
    out->chats_n = 0;
    for (unsigned s = 0; s < sizeof shifts / sizeof *shifts; s++)
        for (unsigned i = 0; i < shifts[s].reps; i++, n++)
            make_rep(&d, &out->rep[n], n, s);
    for (;;) {
        double hours, rate;
        int hour;

        at += exponential(&d, (double)SIM_HOUR / peak);
        if (at >= (double)SIM_CLOSE_MS || out->chats_n == SIM_CHATS_MAX)
            return;
        hours = at / (double)SIM_HOUR - 0.5;
        hour = (int)hours;
        rate = hour < 8 ? per_hour[8] : hour >= 21 ? per_hour[21] : per_hour[hour] + (per_hour[hour + 1] - per_hour[hour]) * (hours - hour);
        if (roll(&d) * peak < rate)
            make_chat(&d, out, (int64_t)at, &out->chat[out->chats_n++]);
    }
}
