/*
 * Block histograms of one stream: the measuring thread fills one, the control thread empties those before it. When the
 * control thread gets no CPU for a while, a block lasts longer; no sample is lost.
 */
#ifndef HFT_BLOCKS_H
#define HFT_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "histogram.h"

#define BLOCK_BUFFERS 4u

/* What the counts of a stream are, while it is filled: nanoseconds, or ticks that are converted when emptied. */
enum block_unit { IN_NS, IN_TICKS };

struct block {
  atomic_bool full;
  uint32_t stream;
  uint32_t index;
  uint64_t start;  /* ticks of the first moment that it covers */
  uint64_t covered; /* ticks that it covers; less than end - start when the stream paused */
  struct histogram histogram;
};

struct recorder {
  /* the measuring thread's */
  struct block *current;
  uint64_t turn_at;      /* ticks: the block ends with the first sample after this */
  uint64_t begun;        /* ticks: where block 0 starts */
  uint64_t block_ticks;
  uint64_t resumed;      /* ticks: covered since then is not in `covered` yet */
  uint32_t stream;
  unsigned writing;
  bool paused;
  enum block_unit unit;
  /* the control thread's */
  _Alignas(APART) unsigned emptying;
  struct block *blocks;
};

/* Local to the CPU that calls. */
void recorder_allocate(struct recorder *recorder, enum block_unit unit);

/* Starts the first block of a stream, of which `block_ns` each are one block. */
void recorder_open(struct recorder *recorder, uint32_t stream, uint64_t now, uint64_t block_ns);

/* The stream pauses: what follows until recorder_resume is not covered. */
void recorder_pause(struct recorder *recorder, uint64_t now);
void recorder_resume(struct recorder *recorder, uint64_t now);

/* Hands over the last block. */
void recorder_close(struct recorder *recorder, uint64_t now);

/* Forgets what was recorded before anything was handed over: the warm-up. */
void recorder_discard(struct recorder *recorder);

/* The control thread: writes what is full. */
void recorder_empty(struct recorder *recorder);

/* Ends the block that lasted long enough. Kept out of the loops' way. */
__attribute__((noinline, cold)) void recorder_turn(struct recorder *recorder, uint64_t now);

static ALWAYS_INLINE void recorder_advance(struct recorder *recorder, uint64_t now) {
  if (UNLIKELY(now >= recorder->turn_at)) recorder_turn(recorder, now);
}

/* A sample that ended at `now`. */
static ALWAYS_INLINE void recorder_add(struct recorder *recorder, uint64_t now, uint64_t value) {
  histogram_record(&recorder->current->histogram, value);
  recorder_advance(recorder, now);
}

#endif
