/*
 * When messages arrive: a pattern of times between two arrivals, recorded or made, which is repeated. Its mean is stretched or
 * shrunk to the rate that is asked for; its bursts and pauses stay as they are in proportion.
 */
#ifndef HFT_ARRIVALS_H
#define HFT_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

struct arrivals {
  uint64_t *times; /* ns of the pattern as it was read; ticks after arrivals_scale; each from the start of a cycle */
  size_t count;
  uint64_t cycle; /* how long the pattern is, in the same unit */
  /* where we are */
  size_t next;
  uint64_t cycle_begun;
};

/* The shipped one: a Hawkes process, made by scripts/feed-pattern.ts. Nanoseconds, 10000 on average. */
extern const uint32_t feed_pattern[];
extern const size_t feed_pattern_count;

/* One time in ns per line; NULL: the shipped pattern. Ends with `usage` where a line is something else. */
void arrivals_load(struct arrivals *arrivals, const char *file);

/* From ns of the pattern to ticks, `rate_hz` arrivals a second on average. Once, when the clock is calibrated. */
void arrivals_scale(struct arrivals *arrivals, uint64_t rate_hz);

/* The pattern begins at `now`, with its first arrival. */
void arrivals_begin(struct arrivals *arrivals, uint64_t now);

/* Ticks of the next arrival. */
uint64_t arrivals_next(struct arrivals *arrivals);

#endif
