/*
 * `planted CPU PERIOD_US WORK_US SECONDS`: takes a CPU for WORK_US every PERIOD_US by SCHED_FIFO 50 and prints, for each time, the TSC when
 * it had the CPU and when it gave it back.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#define MOST 200000

static uint64_t times[MOST][2];

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  uint64_t period_ns = strtoull(argv[2], NULL, 10) * 1000, work_ns = strtoull(argv[3], NULL, 10) * 1000;
  struct sched_param priority = {.sched_priority = 50};
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(atoi(argv[1]), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0 || sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
    perror("planted");
    return 1;
  }
  uint64_t next = now_ns(), end = next + strtoull(argv[4], NULL, 10) * 1000000000u;
  unsigned count = 0;
  while ((next += period_ns) < end && count < MOST) {
    struct timespec until = {.tv_sec = (time_t)(next / 1000000000u), .tv_nsec = (long)(next % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    uint64_t begun = now_ns();
    times[count][0] = __rdtsc();
    while (now_ns() - begun < work_ns) {
    }
    times[count++][1] = __rdtsc();
    /* Late by whole periods: those are left out, so that each is one interruption. */
    while (next + period_ns < now_ns()) next += period_ns;
  }
  for (unsigned i = 0; i < count; i++) printf("%llu %llu\n", (unsigned long long)times[i][0], (unsigned long long)times[i][1]);
  return 0;
}
