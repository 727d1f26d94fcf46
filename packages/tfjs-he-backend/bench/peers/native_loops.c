/* The two loops that the simd engine spends its time in, as plain C for the compiler to vectorise: the butterflies of the forward transform (assembly/ntt.ts)
   and the multiply-accumulates of sums of products (assembly/pointwise.ts), on residues as exact doubles. They show what the machine gives without
   WebAssembly. Prints one JSON object: {"butterflyNs", "macNs", "checksum"}; the checksum, of one transform and one sum
   of generated residues, is that of the engine's kernels on the same (native_loops.ts).
   Build: cc -O3 -march=native -ffp-contract=off native_loops.c -lm, and -mprefer-vector-width=128 for vectors of WebAssembly's width.
   Usage: native_loops SAMPLES */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LOG_N = 14, N = 1 << LOG_N, COUNT = 8 };

/* A modulus of 48 bits. The loops do the same for any table, so twiddles are any centred residues. */
static const double PRIME = 281474976546817.0;
static const double ROUNDER = 6755399441055744.0;

static inline double rounded_product(double a, double b) { return fma(a, b, ROUNDER) - ROUNDER; }

static inline double centred(double x, double p, double inverse) { return fma(-rounded_product(x, inverse), p, x); }

static inline double times_constant(double a, double w, double over_p, double p) {
  double h = a * w;
  double error = fma(-a, w, h);
  return fma(-rounded_product(a, over_p), p, h) - error;
}

/* One pass of two stages over m groups of four blocks of `quarter` doubles. */
static void forward_pass(double *restrict x, const double *restrict w, const double *restrict wp, long m, long quarter, double p) {
  for (long g = 0; g < m; g++) {
    double w1 = w[m + g], w1p = wp[m + g], w2 = w[2 * (m + g)], w2p = wp[2 * (m + g)], w3 = w[2 * (m + g) + 1], w3p = wp[2 * (m + g) + 1];
    double *restrict x0 = x + 4 * g * quarter;
    double *restrict x1 = x0 + quarter, *restrict x2 = x1 + quarter, *restrict x3 = x2 + quarter;
    for (long i = 0; i < quarter; i++) {
      double v0 = times_constant(x2[i], w1, w1p, p), v1 = times_constant(x3[i], w1, w1p, p);
      double y0 = x0[i] + v0, y2 = x0[i] - v0;
      double z0 = times_constant(x1[i] + v1, w2, w2p, p), z2 = times_constant(x1[i] - v1, w3, w3p, p);
      x0[i] = y0 + z0;
      x1[i] = y0 - z0;
      x2[i] = y2 + z2;
      x3[i] = y2 - z2;
    }
  }
}

/* The last two stages, on groups of four neighbours; then everything is centred. */
static void forward_last(double *restrict x, const double *restrict w, const double *restrict wp, double p, double inverse) {
  const long m = N / 4;
  for (long g = 0; g < m; g++) {
    double *v = x + 4 * g;
    double v0 = times_constant(v[2], w[m + g], wp[m + g], p), v1 = times_constant(v[3], w[m + g], wp[m + g], p);
    double y0 = v[0] + v0, y2 = v[0] - v0;
    double z0 = times_constant(v[1] + v1, w[2 * (m + g)], wp[2 * (m + g)], p);
    double z2 = times_constant(v[1] - v1, w[2 * (m + g) + 1], wp[2 * (m + g) + 1], p);
    v[0] = centred(y0 + z0, p, inverse);
    v[1] = centred(y0 - z0, p, inverse);
    v[2] = centred(y2 + z2, p, inverse);
    v[3] = centred(y2 - z2, p, inverse);
  }
}

static void forward(double *x, const double *w, const double *wp, double p, double inverse) {
  long m = 1;
  for (long quarter = N / 4; quarter > 1; quarter /= 4, m *= 4) forward_pass(x, w, wp, m, quarter, p);
  forward_last(x, w, wp, p, inverse);
}

/* dst = sum of a_j * b_j modulo p: products are summed as two doubles, the higher one in multiples of its last place. */
static void sum_of_products(double *restrict dst, double *const *a, double *const *b, double p, double inverse) {
  enum { BLOCK = 16 };
  const double offset = 1.5 * ldexp(1.0, 5 + 2 * 48 - 1);
  for (long i = 0; i < N; i += BLOCK) {
    double high[BLOCK], rest[BLOCK];
    for (int k = 0; k < BLOCK; k++) high[k] = offset, rest[k] = 0;
    for (int j = 0; j < COUNT; j++) {
      const double *restrict x = a[j] + i, *restrict y = b[j] + i;
      for (int k = 0; k < BLOCK; k++) {
        double next = fma(x[k], y[k], high[k]);
        rest[k] += fma(x[k], y[k], high[k] - next);
        high[k] = next;
      }
    }
    for (int k = 0; k < BLOCK; k++) {
      double s = high[k] - offset;
      dst[i + k] = centred(fma(-nearbyint(s * inverse), p, s) + rest[k], p, inverse);
    }
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof(double), ascending);
  return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

/* Centred residues from Knuth's linear congruential generator. */
static double *residues(uint64_t *state) {
  double *x = aligned_alloc(64, N * sizeof(double));
  if (x == NULL) exit(1);
  for (long i = 0; i < N; i++) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    x[i] = (double)(int64_t)(*state >> 17) - 70368744136704.0;
  }
  return x;
}

static uint64_t checksum(const double *x) {
  uint64_t sum = 0;
  for (long i = 0; i < N; i++) sum = sum * 31 + (uint64_t)(int64_t)x[i];
  return sum;
}

int main(int argc, char **argv) {
  const int samples = argc > 1 ? atoi(argv[1]) : 9;
  if (samples < 1) return 1;
  enum { REPEATS = 16 };
  uint64_t state = 1;
  double *x = residues(&state), *w = residues(&state), *wp = residues(&state), *dst = residues(&state);
  double *a[COUNT], *b[COUNT];
  for (int j = 0; j < COUNT; j++) a[j] = residues(&state), b[j] = residues(&state);
  for (long i = 0; i < N; i++) wp[i] = w[i] / PRIME;
  double *transform = malloc((size_t)samples * sizeof(double)), *sum = malloc((size_t)samples * sizeof(double));
  if (transform == NULL || sum == NULL) return 1;
  const double inverse = 1 / PRIME;
  forward(x, w, wp, PRIME, inverse);
  sum_of_products(dst, a, b, PRIME, inverse);
  const uint64_t result = checksum(x) ^ checksum(dst);
  for (int warm = 0; warm < 20; warm++) forward(x, w, wp, PRIME, inverse), sum_of_products(dst, a, b, PRIME, inverse);
  for (int s = 0; s < samples; s++) {
    double start = now();
    for (int r = 0; r < REPEATS; r++) forward(x, w, wp, PRIME, inverse);
    transform[s] = (now() - start) / REPEATS;
    start = now();
    for (int r = 0; r < REPEATS; r++) sum_of_products(dst, a, b, PRIME, inverse);
    sum[s] = (now() - start) / REPEATS;
  }
  printf("{\"butterflyNs\": %.4f, \"macNs\": %.4f, \"checksum\": \"%llu\"}\n", median(transform, samples) / (LOG_N / 2.0 * N),
         median(sum, samples) / ((double)COUNT * N), (unsigned long long)result);
  return 0;
}
