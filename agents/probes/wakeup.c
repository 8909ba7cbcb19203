/*
 * wakeup: each CPU sleeps until an absolute time, again and again. How late it runs is the latency.
 * wakeup: every period counts, from its intended start, those too that went by while the thread was kept waiting.
 * service: only those for which it slept; overdue periods are left out, which is the rule of cyclictest.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "blocks.h"
#include "failure.h"
#include "pacing.h"
#include "probes.h"

static uint64_t period_ns = 500000;

struct sleeper {
  struct recorder every;
  struct recorder service;
  uint64_t overdue;
};

static ALWAYS_INLINE uint64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void allocate(struct worker *worker) {
  struct sleeper *sleeper = worker->own = allocate_local(sizeof *sleeper);
  recorder_allocate(&sleeper->every, IN_NS);
  recorder_allocate(&sleeper->service, IN_NS);
}

/* From the first intended time on. Each one before `end_ns` becomes a sample. */
static void sleep_through(struct run *run, struct sleeper *sleeper, uint64_t intended_ns, uint64_t end_ns) {
  uint64_t spacing_ns = out_of_step(period_ns);
  while (intended_ns < end_ns && !run_stopped(run)) {
    struct timespec until = {.tv_sec = (time_t)(intended_ns / NS_PER_SECOND), .tv_nsec = (long)(intended_ns % NS_PER_SECOND)};
    int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    uint64_t now_ns = monotonic_ns();
    uint64_t now = clock_now();
    if (UNLIKELY(error != 0)) {
      if (error == EINTR) continue;
      fail("clock_nanosleep: %s", strerror(error));
    }
    if (UNLIKELY(now_ns < intended_ns)) fail("clock_nanosleep returned %llu ns too early", (unsigned long long)(intended_ns - now_ns));
    histogram_record(&sleeper->service.current->histogram, now_ns - intended_ns);
    histogram_record(&sleeper->every.current->histogram, now_ns - intended_ns);
    for (intended_ns += spacing_ns; UNLIKELY(intended_ns <= now_ns && intended_ns < end_ns); intended_ns += spacing_ns) {
      histogram_record(&sleeper->every.current->histogram, now_ns - intended_ns);
      sleeper->overdue++;
    }
    recorder_advance(&sleeper->service, now);
    recorder_advance(&sleeper->every, now);
  }
}

static void warm_up(struct worker *worker, uint64_t until) {
  struct sleeper *sleeper = worker->own;
  uint64_t now_ns = monotonic_ns();
  uint64_t now = clock_now();
  recorder_open(&sleeper->every, 0, now, NS_PER_SECOND * 3600);
  recorder_open(&sleeper->service, 0, now, NS_PER_SECOND * 3600);
  if (until > now) sleep_through(worker->run, sleeper, now_ns + period_ns, now_ns + clock_ns_of(until - now));
  recorder_discard(&sleeper->every);
  recorder_discard(&sleeper->service);
  sleeper->overdue = 0;
}

static void measure(struct worker *worker) {
  struct sleeper *sleeper = worker->own;
  struct run *run = worker->run;
  uint32_t stream = 2 * (uint32_t)worker->index;
  recorder_open(&sleeper->every, stream, run->start, run->options.block_ns);
  recorder_open(&sleeper->service, stream + 1, run->start, run->options.block_ns);
  /* CPUs start one after the other within the first period, so that they do not wake at the same moment. */
  uint64_t first_ns = monotonic_ns() + period_ns + period_ns * (uint64_t)worker->index / (uint64_t)run->worker_count;
  sleep_through(run, sleeper, first_ns, monotonic_ns() + run->options.duration_ns);
  uint64_t now = clock_now();
  recorder_close(&sleeper->every, now);
  recorder_close(&sleeper->service, now);
}

static void empty(struct run *run) {
  for (int i = 0; i < run->worker_count; i++) {
    struct sleeper *sleeper = run->workers[i].own;
    recorder_empty(&sleeper->every);
    recorder_empty(&sleeper->service);
  }
}

static void describe(struct run *run, struct text *meta) {
  text_add(meta, ",\"periodNs\":%llu,\"streams\":[", (unsigned long long)period_ns);
  for (int i = 0; i < run->worker_count; i++)
    text_add(meta,
             "%s{\"id\":%d,\"name\":\"wakeup\",\"cpu\":%d,\"unit\":\"ns\",\"what\":\"every period, from its intended start until the thread runs\"}"
             ",{\"id\":%d,\"name\":\"service\",\"cpu\":%d,\"unit\":\"ns\",\"what\":\"only periods that the thread slept for, as cyclictest counts\"}",
             i == 0 ? "" : ",", 2 * i, run->workers[i].cpu, 2 * i + 1, run->workers[i].cpu);
  text_add(meta, "]");
}

static void conclude(struct run *run, struct text *result) {
  uint64_t overdue = 0;
  for (int i = 0; i < run->worker_count; i++) overdue += ((struct sleeper *)run->workers[i].own)->overdue;
  text_add(result, ",\"overdue\":%llu,\"lost\":{}", (unsigned long long)overdue);
}

static bool spins(void) { return false; }

static const struct option_spec options[] = {{.name = "period-ns", .value = &period_ns, .least = 10000, .most = NS_PER_SECOND}, {0}};

const struct probe wakeup_probe = {.name = "wakeup",
                                   .options = options,
                                   .spins = spins,
                                   .allocate = allocate,
                                   .warm_up = warm_up,
                                   .measure = measure,
                                   .empty = empty,
                                   .describe = describe,
                                   .conclude = conclude};
