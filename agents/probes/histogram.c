#include "histogram.h"

#include <string.h>

void histogram_clear(struct histogram *histogram) {
  memset(histogram, 0, sizeof *histogram);
  histogram->min = UINT64_MAX;
}

uint64_t histogram_lowest(uint32_t bucket) {
  if (bucket < SUB_BUCKETS) return bucket;
  uint32_t exponent = (bucket >> HALF_LOG2) - 1;
  uint64_t sub_bucket = (bucket & ((1u << HALF_LOG2) - 1)) + (1u << HALF_LOG2);
  return sub_bucket << exponent;
}
