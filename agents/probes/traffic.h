/*
 * Messages through a channel, from a thread on the first CPU to one on the second, one way or there and back: what every
 * channel's probe is but for the channel.
 */
#ifndef HFT_TRAFFIC_H
#define HFT_TRAFFIC_H

#include "channel.h"
#include "options.h"
#include "run.h"

extern struct traffic_terms {
  uint64_t direction;
  uint64_t message_bytes;
  uint64_t wait;
  uint64_t rate_hz; /* 0: only one after the other */
} traffic_terms;

extern const char *const TRAFFIC_DIRECTIONS[];
extern const char *const TRAFFIC_WAITS[];

#define TRAFFIC_OPTIONS                                                     \
  {"direction", &traffic_terms.direction, 0, 0, TRAFFIC_DIRECTIONS},        \
      {"payload", &traffic_terms.message_bytes, 64, MOST_MESSAGE_BYTES, NULL}, \
      {"wait", &traffic_terms.wait, 0, 0, TRAFFIC_WAITS},                   \
      {"rate", &traffic_terms.rate_hz, 0, 20000000, NULL}

int traffic_prepare(struct run *run);
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
