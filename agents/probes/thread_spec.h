/*
 * Where a thread of a process is to run, as hft says it: NAME=CPUS[/CPUS ...]:POLICY:NUMBER. NAME is a name with * and ?, #N for the
 * N-th thread that was started, or * for all others. A set of CPUs for each thread of the name; for * one set for all.
 * NUMBER: priority (fifo, rr), nice (other, batch), RUNTIME/DEADLINE/PERIOD in ns (deadline).
 */
#ifndef HFT_THREAD_SPEC_H
#define HFT_THREAD_SPEC_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpu_list.h"

/* struct sched_attr of the kernel, sched_setattr(2); the C library of Debian 12 does not have it. */
struct scheduling {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns;
  uint64_t deadline_ns;
  uint64_t period_ns;
};

struct thread_spec {
  const char *name;
  cpu_set_t *sets;
  size_t set_count;
  struct scheduling scheduling;
};

/* Ends with `usage` on anything that is not one. */
struct thread_spec thread_spec_parse(char *text);

bool thread_spec_is_rest(const struct thread_spec *spec);

/* Whether a thread is meant: its name, and how many threads were started before it. */
bool thread_spec_matches(const struct thread_spec *spec, const char *name, size_t index);

const char *policy_name(uint32_t policy);

#endif
