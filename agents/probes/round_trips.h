/*
 * Messages to a peer and back, over UDP or TCP, at times that are given or one after the other. Other than between two CPUs (traffic.c)
 * none waits for the reply to the one before: each is sent when it is meant to be, however many are under way. Of one thread.
 */
#ifndef HFT_ROUND_TRIPS_H
#define HFT_ROUND_TRIPS_H

#include "blocks.h"
#include "peer.h"
#include "run.h"
#include "split.h"
#include "trips.h"
#include "xdp.h"

enum trip_kind { KIND_WARM, KIND_OPEN, KIND_CLOSED, KIND_STAMPED, TRIP_KINDS };
enum { STREAM_OPEN, STREAM_CLOSED, STREAM_STAMPED, STREAMS, FIRST_SPLIT_STREAM = STREAMS };

struct round_trips {
  struct peer peer;
  struct xdp *xdp; /* NULL: through the kernel's stack */
  struct run *run;
  size_t message_bytes;
  bool is_over_tcp;
  bool blocks;
  uint64_t interval_ticks;
  struct trips trips;
  struct split split;
  struct recorder streams[STREAMS];
  int running; /* the stream that covers time now; -1: none */
  uint64_t number; /* of the last message */
  uint64_t unsent;
  uint64_t damaged;
  uint64_t strangers;
  uint64_t stamped;
  uint32_t stamped_datagrams;
  struct unnoted unnoted;
  size_t done; /* of a reply over TCP that has come in part */
  _Alignas(APART) uint64_t outgoing[MOST_SESSION_MESSAGE / sizeof(uint64_t)];
  _Alignas(APART) uint64_t incoming[MOST_SESSION_MESSAGE / sizeof(uint64_t)];
};

/* Returns the number of the message. */
uint64_t round_trips_send(struct round_trips *all, enum trip_kind kind, uint64_t intended);

/* Each when the one before is back, until then. */
void round_trips_closed(struct round_trips *all, enum trip_kind kind, uint64_t until);

/* Each at its time. */
void round_trips_open(struct round_trips *all, enum trip_kind kind, uint64_t from, uint64_t until);

/* Takes what is under way; what comes after a second is lost. */
void round_trips_await(struct round_trips *all);

#endif
