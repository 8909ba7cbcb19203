/*
 * What the program writes to standard output: frames, little endian, `u32 type, u32 payloadBytes`, then the payload,
 * padded to 8 bytes with zeros. src/latency/probe/frames.ts reads them and describes each type.
 * Only the control thread writes.
 */
#ifndef HFT_FRAMES_H
#define HFT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "attributes.h"
#include "histogram.h"

enum frame_type { FRAME_META = 1, FRAME_BLOCK = 2, FRAME_GAPS = 3, FRAME_RESULT = 4 };

/* Text that grows, for JSON. */
struct text {
  char *data;
  size_t length;
  size_t capacity;
};

void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_free(struct text *text);

struct gap {
  uint64_t start_ticks;
  uint64_t end_ticks;
};

struct block_times {
  uint32_t stream;
  uint32_t index;
  uint64_t start_ns; /* CLOCK_MONOTONIC_RAW */
  uint64_t duration_ns;
};

void frame_json(enum frame_type type, const struct text *text);
void frame_block(const struct block_times *times, const struct histogram *histogram);

/* At most GAPS_PER_FRAME go into one frame. */
#define GAPS_PER_FRAME 4096u
void frame_gaps(uint32_t stream, const struct gap *gaps, size_t count);

#endif
