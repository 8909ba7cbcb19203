/*
 * Counts in HdrHistogram's layout (http://hdrhistogram.org): lowest discernible value 1, 3 significant digits, highest
 * value 3,600,000,000,000 ns (1 h). The same in src/latency/histogram.
 */
#ifndef HFT_HISTOGRAM_H
#define HFT_HISTOGRAM_H

#include <stdint.h>

#include "attributes.h"

#define SUB_BUCKETS_LOG2 11
#define SUB_BUCKETS (1u << SUB_BUCKETS_LOG2)
#define HALF_LOG2 (SUB_BUCKETS_LOG2 - 1)
#define BUCKETS (33u << HALF_LOG2)
#define HIGHEST_VALUE UINT64_C(3600000000000)

struct histogram {
  uint64_t count;
  uint64_t min; /* exact, as are max and sum; UINT64_MAX when empty */
  uint64_t max;
  uint64_t sum;
  uint32_t counts[BUCKETS];
};

void histogram_clear(struct histogram *histogram);

/* The lowest value of a bucket. */
uint64_t histogram_lowest(uint32_t bucket);

/* The index into the counts; what is above the highest value goes where that goes. */
static ALWAYS_INLINE uint32_t histogram_bucket(uint64_t value) {
  if (UNLIKELY(value > HIGHEST_VALUE)) value = HIGHEST_VALUE;
  int exponent = 64 - SUB_BUCKETS_LOG2 - __builtin_clzll(value | (SUB_BUCKETS - 1));
  return ((uint32_t)exponent << HALF_LOG2) + (uint32_t)(value >> exponent);
}

static ALWAYS_INLINE void histogram_record(struct histogram *histogram, uint64_t value) {
  histogram->counts[histogram_bucket(value)]++;
  histogram->count++;
  histogram->sum += value;
  if (value < histogram->min) histogram->min = value;
  if (value > histogram->max) histogram->max = value;
}

#endif
