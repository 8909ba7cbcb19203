/* The responder's part of one conversation: a thread on a CPU of its own that sends every message back. */
#ifndef HFT_ANSWER_H
#define HFT_ANSWER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "session.h"
#include "stamps.h"
#include "trips.h"
#include "xdp.h"

#define SEEN_NUMBERS 4096u

struct answerer {
  pthread_t thread;
  int cpu;
  int messages; /* connected to who asks */
  bool is_over_tcp;
  bool spins;
  bool has_hardware;
  struct xdp *xdp; /* NULL: through the kernel's stack */
  size_t message_bytes;
  uint64_t request_token;
  uint64_t reply_token;
  uint32_t bytes_sent; /* over TCP, since stamps were enabled */
  int done;            /* an eventfd, written when the thread ends by itself */
  atomic_bool stop;
  atomic_bool has_ended;
  /* The thread's; read by others when it has been joined, but for `heard`. */
  _Alignas(APART) _Atomic uint64_t heard; /* messages */
  struct tally tally;
  bool was_last; /* who asked said that it is the end */
  uint64_t highest;
  uint64_t seen[SEEN_NUMBERS / 64];
  struct unnoted unnoted;
  uint32_t stamped_datagrams;
  uint64_t noting; /* the number whose stamps are in `noted`; published when all are there */
  struct stamps noted;
  uint64_t earlier;
  struct stamps earlier_sent;
  _Alignas(APART) uint64_t room[MOST_SESSION_MESSAGE / sizeof(uint64_t)];
};

/* false with errno where no thread can be had. */
bool answer_start(struct answerer *answerer);

/* Returns when the thread has ended. */
void answer_stop(struct answerer *answerer);

#endif
