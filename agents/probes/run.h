/*
 * The life of a run, the same for every probe: pinned threads allocate and warm up, the clock is calibrated, META is
 * written, all threads measure the same span of time, the control thread empties what they fill, RESULT is written.
 */
#ifndef HFT_RUN_H
#define HFT_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "clock.h"
#include "frames.h"
#include "options.h"
#include "placement.h"

struct channel;
struct run;

/* One measuring thread. */
struct worker {
  struct run *run;
  int index;
  int cpu;           /* where it starts */
  int cpu_last_seen;
  struct thread_usage usage;
  void *own;         /* the probe's */
  pthread_t thread;
};

struct probe {
  const char *name;
  const struct option_spec *options;
  const struct channel *channel; /* of those that send messages (traffic.h) */
  /* Its threads never sleep while they measure, so they must not share a CPU under SCHED_FIFO. */
  bool (*spins)(void);
  /* In the control thread: how many workers; refuses what cannot work. Without it: one for each CPU. */
  int (*prepare)(struct run *run);
  /* In each worker, pinned. */
  void (*allocate)(struct worker *worker);
  /* What measure does, recorded nowhere, until then. */
  void (*warm_up)(struct worker *worker, uint64_t until);
  /* No system call (but those that are measured), no allocation, no print. Ends at run->end or when run->stop is set. */
  void (*measure)(struct worker *worker);
  /* In the control thread, again and again while they measure and once after. */
  void (*empty)(struct run *run);
  /* Members of META (`"streams":[...]` and more) and of RESULT, each with a comma before it. */
  void (*describe)(struct run *run, struct text *meta);
  void (*conclude)(struct run *run, struct text *result);
};

struct run {
  const struct probe *probe;
  struct options options;
  struct worker *workers;
  int worker_count;
  bool control_shared;
  struct clock_floor floor;
  double loop_ns;          /* of jitter's loop, the finest gap that can be seen */
  uint64_t start;          /* ticks of the span that is measured */
  uint64_t end;
  atomic_bool stop;
  /* Where workers and control thread wait for each other. */
  pthread_barrier_t barrier;
  atomic_int running;
};

/* Returns when RESULT is written. */
void run_probe(const struct probe *probe, char **arguments);

static ALWAYS_INLINE bool run_stopped(struct run *run) { return atomic_load_explicit(&run->stop, memory_order_relaxed); }

#endif
