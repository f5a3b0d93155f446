#include "kb/kb_vector.h"

#include <stdint.h>
#include <string.h>

#define LEAST (-80.0f)

typedef float f4 __attribute__((vector_size(16)));
typedef int32_t i4 __attribute__((vector_size(16)));

static f4 load(const float *v)
{
    f4 x;

    memcpy(&x, v, sizeof x);
    return x;
}

/* mask ? a : b */
static f4 choose(i4 mask, f4 a, f4 b)
{
    return (f4)((mask & (i4)a) | (~mask & (i4)b));
}

/* x <= 0 */
static f4 exp4(f4 x)
{
    f4 least = {LEAST, LEAST, LEAST, LEAST}, t, f, e;
    i4 n;

    x = choose(x > least, x, least);
    t = x * 1.44269504f;
    n = __builtin_convertvector(t - 0.5f, i4); /* cut towards 0: the nearest, for t <= 0 */
    f = (t - __builtin_convertvector(n, f4)) * 0.693147181f;
    e = 1 + f * (1 + f * (1 / 2.0f + f * (1 / 6.0f + f * (1 / 24.0f + f * (1 / 120.0f)))));
    return (f4)((i4)e + (n << 23));
}

static float top_of(const float *v, unsigned n)
{
    float top = v[0];
    f4 tops = {top, top, top, top};
    unsigned i = 0;

    for (; i + 4 <= n; i += 4) {
        f4 x = load(v + i);

        tops = choose(x > tops, x, tops);
    }
    for (unsigned k = 0; k < 4; k++)
        top = tops[k] > top ? tops[k] : top;
    for (; i < n; i++)
        top = v[i] > top ? v[i] : top;
    return top;
}

float kb_vector_softmax(float *v, unsigned n)
{
    float top = top_of(v, n);
    f4 sums = {0, 0, 0, 0}, e;
    unsigned i = 0;

    for (; i + 4 <= n; i += 4) {
        e = exp4(load(v + i) - top);
        memcpy(v + i, &e, sizeof e);
        sums += e;
    }
    for (; i < n; i++) {
        e = exp4((f4){v[i] - top, 0, 0, 0});
        v[i] = e[0];
        sums[0] += e[0];
    }
    return sums[0] + sums[1] + sums[2] + sums[3];
}

void kb_vector_add(float *sum, float x, const float *v, unsigned n)
{
    unsigned i = 0;

    for (; i + 4 <= n; i += 4) {
        f4 s = load(sum + i) + x * load(v + i);

        memcpy(sum + i, &s, sizeof s);
    }
    for (; i < n; i++)
        sum[i] += x * v[i];
}
