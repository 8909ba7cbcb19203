/*
 * `thief CPU`: every 10 ms takes 200 us of a CPU from whoever runs there, until SIGTERM. Prints then the raw TSC times, one pair a
 * line, between which it had the CPU without a break, in order. What it prints it was not disturbed in: where its own loop saw a gap, a line ends.
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#define MOST 100000
#define STEAL_NS 200000
#define PERIOD_NS 10000000
#define OWN_GAP_TICKS 2000

static uint64_t times[MOST][2];
static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = stop};
  if (argc != 2) return 2;
  sigaction(SIGTERM, &action, NULL);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(atoi(argv[1]), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) return 1;
  int count = 0;
  int64_t next = now_ns() + PERIOD_NS;
  for (; !stopped; next += PERIOD_NS) {
    struct timespec until = {next / 1000000000, next % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    int64_t end = now_ns() + STEAL_NS;
    uint64_t start = __rdtsc(), last = start;
    for (int turn = 0; turn % 64 != 0 || now_ns() < end; turn++) {
      uint64_t now = __rdtsc();
      if (now - last > OWN_GAP_TICKS && count < MOST) {
        times[count][0] = start;
        times[count++][1] = last;
        start = now;
      }
      last = now;
    }
    if (count < MOST) {
      times[count][0] = start;
      times[count++][1] = last;
    }
  }
  for (int i = 0; i < count; i++) printf("%llu %llu\n", (unsigned long long)times[i][0], (unsigned long long)times[i][1]);
  return 0;
}
