/*
 * hft-probe load --kind housekeeping|network --cpus SET: something to do for CPUs that do not measure, while others do. SCHED_OTHER, nice 0,
 * four fifths of each CPU, memory of some tens of MiB; ends with its parent, at its deadline, and when asked (SIGTERM).
 * Says `ready` when it has begun, and at the end what it did, as one line of JSON.
 */
#ifndef HFT_LOAD_H
#define HFT_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

/* One thread of the load, on one CPU. Only it writes its counts. */
struct bearer {
  int cpu;
  pthread_t thread;
  uint64_t copied_bytes;
  uint64_t system_calls;
  uint64_t mappings;  /* of memory: mapped, written to, unmapped */
  uint64_t processes; /* started, and waited for until they ended */
  uint64_t sent;
  uint64_t sent_bytes;
  uint64_t received;
  int receiver;       /* network: the socket of one that receives */
  int sender;
  atomic_bool *stop;
  pthread_barrier_t *begin;
};

#define LOAD_PACKET_BYTES 1024

int load(char **arguments);

/* Work until then, CLOCK_MONOTONIC_RAW. In the bearer's thread, pinned. */
void load_housekeeping(struct bearer *bearer, uint64_t until_raw_ns);
void load_send(struct bearer *bearer, uint64_t until_raw_ns);

/* Until `stop`. */
void load_receive(struct bearer *bearer);

static ALWAYS_INLINE bool load_stopped(const struct bearer *bearer) { return atomic_load_explicit(bearer->stop, memory_order_relaxed); }

#endif
