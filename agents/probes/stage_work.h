/* What a stage of the pipeline does with a message: a fixed amount of made-up work, the same for every message. */
#ifndef HFT_STAGE_WORK_H
#define HFT_STAGE_WORK_H

#include <stdint.h>

#include "attributes.h"

#define LINE_BYTES 64

struct stage_work {
  uint64_t lines;       /* cache lines read and written, each found by what the one before held */
  uint64_t state_bytes; /* the memory that they are spread over; a power of two */
  uint64_t steps;       /* multiplications and additions, each of the result before */
};

#define FACTOR UINT64_C(6364136223846793005) /* Knuth, MMIX */
#define ADDEND UINT64_C(1442695040888963407)

/* The result depends on all of it, so that nothing can be left out. */
static ALWAYS_INLINE uint64_t stage_work_do(const struct stage_work *work, uint64_t *state, uint64_t seed) {
  uint64_t words = work->state_bytes / sizeof *state;
  uint64_t value = seed * FACTOR + ADDEND;
  for (uint64_t i = 0; i < work->lines; i++) {
    uint64_t *line = &state[(value >> 20) & (words - 1) & ~(uint64_t)(LINE_BYTES / sizeof *state - 1)];
    value = value * FACTOR + *line + ADDEND;
    *line = value;
  }
  for (uint64_t i = 0; i < work->steps; i++) value = value * FACTOR + ADDEND;
  return value;
}

#endif
