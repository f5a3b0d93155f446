/*
 * kb_vector: a number of each class, four classes at a time.
 *
 * Thread  any.   Source  e^x as 2^n · e^f, |f| ≤ ln 2 / 2, five terms of the series: to 4e-6 of the value.
 */
#ifndef KB_VECTOR_H
#define KB_VECTOR_H

/* v[i] becomes e^(v[i] - max v) (2e-35 where that is less); returns their sum. n > 0. */
float kb_vector_softmax(float *v, unsigned n);
/* sum[i] += x · v[i] */
void kb_vector_add(float *sum, float x, const float *v, unsigned n);

#endif
