/*
 * `ping-pong CPU CPU ROUNDS`: what shm's round trip is compared with. Two threads, one message of 64 bytes each way, always in the
 * same place; the first word is its number. Prints the minimum and the median of a round trip in ns, and the rounds.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#define LONGEST 100000

struct message {
  _Alignas(128) _Atomic uint64_t number;
  uint64_t words[7];
};

static struct message there, back;
static uint64_t rounds, counts[LONGEST];
static volatile uint64_t sink;

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) exit(1);
}

static void write_message(struct message *message, uint64_t number) {
  for (int i = 0; i < 7; i++) message->words[i] = number + (uint64_t)i;
  atomic_store_explicit(&message->number, number, memory_order_release);
}

static void read_message(struct message *message, uint64_t number) {
  uint64_t sum = 0;
  while (atomic_load_explicit(&message->number, memory_order_acquire) != number) {
  }
  for (int i = 0; i < 7; i++) sum |= message->words[i] ^ number;
  sink = sum;
}

static void *answer(void *cpu) {
  pin(*(int *)cpu);
  for (uint64_t n = 1; n <= rounds; n++) {
    read_message(&there, n);
    write_message(&back, n);
  }
  return NULL;
}

static double ns_per_tick(void) {
  struct timespec from, to, pause = {.tv_nsec = 100000000};
  clock_gettime(CLOCK_MONOTONIC_RAW, &from);
  uint64_t ticks = __rdtsc();
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_MONOTONIC_RAW, &to);
  return ((to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (double)(__rdtsc() - ticks);
}

int main(int argc, char **argv) {
  pthread_t thread;
  if (argc != 4) return 2;
  int cpus[] = {atoi(argv[1]), atoi(argv[2])};
  rounds = strtoull(argv[3], NULL, 10);
  double ns = ns_per_tick();
  pthread_create(&thread, NULL, answer, &cpus[1]);
  pin(cpus[0]);
  for (uint64_t n = 1; n <= rounds; n++) {
    uint64_t begun = __rdtsc();
    write_message(&there, n);
    read_message(&back, n);
    uint64_t took = __rdtsc() - begun;
    counts[took < LONGEST ? took : LONGEST - 1]++;
  }
  pthread_join(thread, NULL);
  uint64_t least = 0, median = 0, seen = 0;
  while (counts[least] == 0) least++;
  for (; seen < rounds / 2; median++) seen += counts[median];
  printf("%.1f %.1f %llu\n", (double)least * ns, (double)median * ns, (unsigned long long)rounds);
  return 0;
}
