/*
 * Where the time of a round trip went, by the stamps of both ends. Each part is the difference of two times of one clock, so that it
 * holds whatever the clocks of the two hosts say. One way is not: it is taken by an estimate of the difference of the two clocks.
 */
#ifndef HFT_SPLIT_H
#define HFT_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "blocks.h"
#include "frames.h"
#include "trips.h"

enum split_part {
  SPLIT_SEND,      /* from the program's send to the kernel's stamp on the way to the card */
  SPLIT_WIRE,      /* between the kernels, there and back, without the time at the peer */
  SPLIT_CARD_WIRE, /* between the cards, there and back, without the time between the peer's card's stamps */
  SPLIT_PEER,      /* from the peer's kernel's stamp of the request to that of the reply */
  SPLIT_RECEIVE,   /* from the kernel's stamp of the reply until the program has it */
  SPLIT_THERE,     /* one way, by the estimate */
  SPLIT_BACK,
  SPLIT_PARTS
};

/* The peer's clock minus this one's lies between these, by what cannot be: a message that arrives before it is sent. ns. */
struct clock_bounds {
  int64_t low;
  int64_t high;
  uint64_t trips;
};

struct split {
  struct recorder parts[SPLIT_PARTS];
  bool is_paused;
  bool is_recording;
  uint64_t taken;
  uint64_t incoherent; /* stamps that contradict each other: a clock was set meanwhile */
  uint64_t before_sent; /* one way: arrived before it was sent, by the estimate */
  int64_t offset_ns;   /* the estimate, by which one way is counted */
  uint64_t middle;     /* ticks: the halves of the run are compared */
  struct clock_bounds all;
  struct clock_bounds halves[2];
};

void split_allocate(struct split *split);
/* The bounds of the warm-up make the estimate; with the same clock at both ends it is 0. */
void split_open(struct split *split, uint32_t first_stream, uint64_t now, uint64_t end, uint64_t block_ns);
void split_settle(struct split *split, bool has_same_clock);
void split_pause(struct split *split, uint64_t now);
void split_close(struct split *split, uint64_t now);
void split_empty(struct split *split);

/* One that has come back, when all stamps of it are there that will be. */
void split_take(struct split *split, struct trip *trip, uint64_t now);

/* `,{"id":…}` for each part; `place` is where it was measured. */
void split_describe(struct text *meta, uint32_t first_stream, const char *place, const char *name);
/* `,"clocks":{…}` and counts. */
void split_conclude(const struct split *split, struct text *result);

#endif
