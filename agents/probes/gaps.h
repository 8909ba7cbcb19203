/*
 * Gaps of one CPU: a ring that the measuring thread fills, and the largest of them all, which the control thread keeps.
 * Every gap is in the histogram whatever happens here.
 */
#ifndef HFT_GAPS_H
#define HFT_GAPS_H

#include <stdatomic.h>
#include <stdint.h>

#include "attributes.h"
#include "frames.h"

#define GAP_RING 65536u
#define MOST_GAPS 65536u

struct gap_ring {
  _Alignas(APART) _Atomic uint64_t written;
  uint64_t overrun; /* found no place, because the control thread got no CPU */
  _Alignas(APART) _Atomic uint64_t taken;
  struct gap gaps[GAP_RING];
};

/* The largest so far, a heap with the smallest of them on top. */
struct largest_gaps {
  uint32_t kept;
  uint64_t smaller; /* not kept */
  struct gap heap[MOST_GAPS];
};

static ALWAYS_INLINE void gap_ring_add(struct gap_ring *ring, uint64_t start_ticks, uint64_t end_ticks) {
  uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
  if (UNLIKELY(written - atomic_load_explicit(&ring->taken, memory_order_acquire) == GAP_RING)) {
    ring->overrun++;
    return;
  }
  ring->gaps[written % GAP_RING] = (struct gap){start_ticks, end_ticks};
  atomic_store_explicit(&ring->written, written + 1, memory_order_release);
}

/* Only while nobody takes. */
void gap_ring_discard(struct gap_ring *ring);

void gap_ring_take(struct gap_ring *ring, struct largest_gaps *largest);

/* As GAPS frames, in the order of time. Afterwards there is none. */
void largest_gaps_write(struct largest_gaps *largest, uint32_t stream);

#endif
