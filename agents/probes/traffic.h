/*
 * Messages through a channel, from a thread on the first CPU to one on the second, one way or there and back: what every
 * channel's probe is but for the channel.
 */
#ifndef HFT_TRAFFIC_H
#define HFT_TRAFFIC_H

#include "channel.h"
#include "options.h"
#include "run.h"

enum traffic_direction { TRAFFIC_ROUND_TRIP, TRAFFIC_ONE_WAY };

extern struct traffic_terms {
  uint64_t direction;
  uint64_t message_bytes;
  uint64_t wait;
  uint64_t rate_hz; /* 0: only one after the other */
} traffic_terms;

extern const char *const TRAFFIC_DIRECTIONS[];
extern const char *const TRAFFIC_WAITS[];

/* Of every channel, and the direction of those that leave a choice. */
#define TRAFFIC_TERMS                                                                                                             \
  {.name = "payload", .value = &traffic_terms.message_bytes, .least = 64, .most = MOST_MESSAGE_BYTES},                             \
      {.name = "wait", .value = &traffic_terms.wait, .choices = TRAFFIC_WAITS}, {                                                  \
    .name = "rate", .value = &traffic_terms.rate_hz, .most = 20000000                                                              \
  }
#define TRAFFIC_OPTIONS {.name = "direction", .value = &traffic_terms.direction, .choices = TRAFFIC_DIRECTIONS}, TRAFFIC_TERMS

int traffic_prepare(struct run *run);
/* Of a channel that answers itself: one thread, on the first CPU. */
int traffic_prepare_alone(struct run *run);
bool traffic_spins(void);
void traffic_allocate(struct worker *worker);
void traffic_warm_up(struct worker *worker, uint64_t until);
void traffic_measure(struct worker *worker);
void traffic_empty(struct run *run);
void traffic_describe(struct run *run, struct text *meta);
void traffic_conclude(struct run *run, struct text *result);

#define TRAFFIC_PROBE(its_name, its_channel, its_options)                                                      \
  {                                                                                                            \
    .name = its_name, .channel = &its_channel, .options = its_options, .spins = traffic_spins,                 \
    .prepare = traffic_prepare, .allocate = traffic_allocate, .warm_up = traffic_warm_up,                      \
    .measure = traffic_measure, .empty = traffic_empty, .describe = traffic_describe, .conclude = traffic_conclude \
  }

#endif
