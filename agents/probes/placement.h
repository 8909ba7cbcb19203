/* Where and how threads run, and how the program is sure to end. Nothing here outlives the process. */
#ifndef HFT_PLACEMENT_H
#define HFT_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

/* What the kernel counted of one thread between two moments, getrusage(2) RUSAGE_THREAD. */
struct thread_usage {
  int64_t involuntary_switches;
  int64_t voluntary_switches;
  int64_t minor_faults;
  int64_t major_faults;
};

/* Dies with the parent, and at the latest one second after the deadline by SIGKILL, which needs no CPU of ours. */
void end_with_parent(pid_t parent);
void end_at_deadline(uint64_t deadline_ns);

/* Pins the calling thread; ends with `unsupported` when the CPU is offline or not allowed to this process. */
void pin_to(int cpu);

/* Pins the calling thread to the control CPU, or to what is allowed and does not measure.
 * True when that is nothing, so that it shares a CPU with a measuring thread. */
bool place_control(const struct options *options);

/* SCHED_FIFO for the calling thread, or nothing when the priority is 0. */
void set_policy(int fifo_priority);

/* SCHED_OTHER's timers may be late by this much otherwise: 50 us, PR_SET_TIMERSLACK. */
void set_smallest_timer_slack(void);

/* Holds /dev/cpu_dma_latency open; the kernel drops the wish when the process ends. */
void hold_dma_latency(int64_t latency_us);

/* NULL when all memory is locked, else why it is not. */
const char *lock_memory(void);

/* Zeroed memory that is there already, on the NUMA node of the calling thread. Never freed. */
void *allocate_local(size_t bytes);

struct thread_usage thread_usage_now(void);
struct thread_usage thread_usage_between(struct thread_usage from, struct thread_usage to);

#endif
