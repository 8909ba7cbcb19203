#include "blocks.h"

#include <time.h>

#include "failure.h"
#include "frames.h"
#include "placement.h"

/* Counts have 32 bits: 4e9 loops of 5 ns. */
#define LONGEST_BLOCK_NS (20 * NS_PER_SECOND)

void recorder_allocate(struct recorder *recorder, enum block_unit unit) {
  *recorder = (struct recorder){.unit = unit, .blocks = allocate_local(BLOCK_BUFFERS * sizeof(struct block))};
  for (unsigned i = 0; i < BLOCK_BUFFERS; i++) histogram_clear(&recorder->blocks[i].histogram);
  recorder->current = &recorder->blocks[0];
}

static void start_block(struct recorder *recorder, uint64_t now) {
  struct block *block = recorder->current;
  uint64_t index = (now - recorder->begun) / recorder->block_ticks;
  block->stream = recorder->stream;
  block->index = (uint32_t)index;
  block->start = now;
  block->covered = 0;
  recorder->resumed = now;
  recorder->turn_at = recorder->begun + (index + 1) * recorder->block_ticks;
}

void recorder_open(struct recorder *recorder, uint32_t stream, uint64_t now, uint64_t block_ns) {
  struct timespec pause = {.tv_nsec = 1000000};
  while (atomic_load_explicit(&recorder->current->full, memory_order_acquire)) nanosleep(&pause, NULL);
  recorder->stream = stream;
  recorder->paused = false;
  recorder->begun = now;
  recorder->block_ticks = clock_ticks_in(block_ns);
  start_block(recorder, now);
}

static void cover(struct recorder *recorder, uint64_t now) {
  /* A run that is stopped before it starts ends before it began. */
  if (!recorder->paused && now > recorder->resumed) recorder->current->covered += now - recorder->resumed;
}

void recorder_pause(struct recorder *recorder, uint64_t now) {
  cover(recorder, now);
  recorder->paused = true;
}

void recorder_resume(struct recorder *recorder, uint64_t now) {
  recorder_advance(recorder, now);
  recorder->paused = false;
  recorder->resumed = now;
}

static void hand_over(struct recorder *recorder, uint64_t now) {
  cover(recorder, now);
  atomic_store_explicit(&recorder->current->full, true, memory_order_release);
  recorder->writing = (recorder->writing + 1) % BLOCK_BUFFERS;
  recorder->current = &recorder->blocks[recorder->writing];
}

void recorder_turn(struct recorder *recorder, uint64_t now) {
  struct block *next = &recorder->blocks[(recorder->writing + 1) % BLOCK_BUFFERS];
  if (!atomic_load_explicit(&next->full, memory_order_acquire)) {
    hand_over(recorder, now);
    start_block(recorder, now);
    return;
  }
  if (now - recorder->current->start > clock_ticks_in(LONGEST_BLOCK_NS))
    fail("the control thread got no CPU, or its reader read nothing, for 20 s: nothing was judged");
  recorder->turn_at = now + recorder->block_ticks;
}

void recorder_close(struct recorder *recorder, uint64_t now) { hand_over(recorder, now); }

void recorder_discard(struct recorder *recorder) {
  histogram_clear(&recorder->current->histogram);
}

/* The same counts in nanoseconds. What counts ticks keeps nothing but counts, so the rest comes from them: exact below
 * 2048 ticks, within 0.1 % above. */
static const struct histogram *convert(const struct histogram *ticks) {
  static struct histogram ns;
  uint64_t sum_ticks = 0;
  histogram_clear(&ns);
  for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
    uint32_t count = ticks->counts[bucket];
    if (count == 0) continue;
    uint64_t value = clock_ns_of(histogram_lowest(bucket));
    ns.counts[histogram_bucket(value)] += count;
    ns.count += count;
    sum_ticks += histogram_lowest(bucket) * count;
    if (value < ns.min) ns.min = value;
    ns.max = value;
  }
  ns.sum = clock_ns_of(sum_ticks);
  return &ns;
}

static void write_block(const struct recorder *recorder, const struct block *block) {
  struct block_times times = {.stream = block->stream,
                              .index = block->index,
                              .start_ns = clock_raw_ns_at(block->start),
                              .duration_ns = clock_ns_of(block->covered)};
  frame_block(&times, recorder->unit == IN_NS ? &block->histogram : convert(&block->histogram));
}

void recorder_empty(struct recorder *recorder) {
  for (;;) {
    struct block *block = &recorder->blocks[recorder->emptying];
    if (!atomic_load_explicit(&block->full, memory_order_acquire)) return;
    /* A stream that paused all the time has nothing to say; one that ran and saw nothing has. */
    if (block->covered > 0) write_block(recorder, block);
    histogram_clear(&block->histogram);
    atomic_store_explicit(&block->full, false, memory_order_release);
    recorder->emptying = (recorder->emptying + 1) % BLOCK_BUFFERS;
  }
}
