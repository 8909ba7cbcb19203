#include "gaps.h"

#include <stdlib.h>

void gap_ring_discard(struct gap_ring *ring) {
  atomic_store(&ring->taken, atomic_load(&ring->written));
  ring->overrun = 0;
}

static uint64_t length_of(struct gap gap) { return gap.end_ticks - gap.start_ticks; }

static void swap(struct gap *a, struct gap *b) {
  struct gap kept = *a;
  *a = *b;
  *b = kept;
}

static void sift_up(struct gap *heap, uint32_t at) {
  while (at > 0) {
    uint32_t above = (at - 1) / 2;
    if (length_of(heap[above]) <= length_of(heap[at])) return;
    swap(&heap[above], &heap[at]);
    at = above;
  }
}

static void sift_down(struct gap *heap, uint32_t count) {
  for (uint32_t at = 0;;) {
    uint32_t smallest = at;
    for (uint32_t below = 2 * at + 1; below <= 2 * at + 2 && below < count; below++)
      if (length_of(heap[below]) < length_of(heap[smallest])) smallest = below;
    if (smallest == at) return;
    swap(&heap[smallest], &heap[at]);
    at = smallest;
  }
}

static void keep_largest(struct largest_gaps *largest, struct gap gap) {
  if (largest->kept < MOST_GAPS) {
    largest->heap[largest->kept] = gap;
    sift_up(largest->heap, largest->kept++);
    return;
  }
  largest->smaller++;
  if (length_of(gap) <= length_of(largest->heap[0])) return;
  largest->heap[0] = gap;
  sift_down(largest->heap, largest->kept);
}

void gap_ring_take(struct gap_ring *ring, struct largest_gaps *largest) {
  uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
  uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
  for (; taken < written; taken++) keep_largest(largest, ring->gaps[taken % GAP_RING]);
  atomic_store_explicit(&ring->taken, taken, memory_order_release);
}

static int by_time(const void *a, const void *b) {
  const struct gap *left = a, *right = b;
  return (left->start_ticks > right->start_ticks) - (left->start_ticks < right->start_ticks);
}

void largest_gaps_write(struct largest_gaps *largest, uint32_t stream) {
  qsort(largest->heap, largest->kept, sizeof *largest->heap, by_time);
  frame_gaps(stream, largest->heap, largest->kept);
  largest->kept = 0;
}
