#include "kb/kb_confidence.h"

#include <math.h>

#define FADE          150   /* accepts after which an older one weighs half of a newer */
#define PRIOR_N       10    /* accepts that the prior of z̄ counts for */
#define PRIOR_BELONGS 3.75f /* z̄ of a KB that nobody has taught */
#define DISMISS_RATE  0.3f
#define DISMISSED_MIN -4.0f

/* which questions belong: by AUROC, docs/kb.md */
#define W_SUM      0.6f
#define W_SEEN     2.5f
#define W_NONE     0.15f
#define W_FIRST    0.05f
#define W_FEATURES 0.75f

/* how likely: fitted, docs/kb.md */
#define BIAS       -0.69f
#define W_DISTANCE 0.68f
#define W_EVIDENCE 0.80f

static float belongs(const struct kb_signals *s)
{
    float odds = fmaxf(s->first, 1e-9f) / fmaxf(1 - s->first, 1e-6f);

    return s->learn - W_SUM * s->learn_sum + s->grams + W_SEEN * s->seen +
           W_FEATURES * logf(1 + (float)s->features) - W_NONE * s->none + W_FIRST * logf(odds);
}

static float mean_of(const struct kb_calibration *c)
{
    float n = (float)c->accepts;

    return (PRIOR_N * PRIOR_BELONGS + n * c->belongs) / (PRIOR_N + n);
}

double kb_confidence(const struct kb_calibration *c, const struct kb_signals *s)
{
    float t = BIAS + W_DISTANCE * (belongs(s) - mean_of(c)) + W_EVIDENCE * logf(1 + s->evidence) +
              c->dismissed;

    return 1 / (1 + (double)expf(-t));
}

void kb_confidence_accepted(struct kb_calibration *c, const struct kb_signals *s, bool right)
{
    if (c->accepts < FADE)
        c->accepts++;
    c->belongs += (belongs(s) - c->belongs) / (float)c->accepts;
    if (right)
        c->dismissed = fminf(0, c->dismissed + DISMISS_RATE * (1 - (float)kb_confidence(c, s)));
}

void kb_confidence_rejected(struct kb_calibration *c, const struct kb_signals *s)
{
    c->dismissed = fmaxf(DISMISSED_MIN, c->dismissed - DISMISS_RATE * (float)kb_confidence(c, s));
}
