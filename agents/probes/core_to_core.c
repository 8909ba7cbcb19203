/*
 * core-to-core: two threads go through all pairs of the CPUs. For each pair a cache line goes to and fro (stream: the
 * round trips), then their clocks are compared.
 */
#include <sched.h>
#include <stdlib.h>

#include "blocks.h"
#include "exchange.h"
#include "failure.h"
#include "probes.h"

struct pair {
  int asker;
  int answerer;
  bool done;
  struct skew skew;
};

static struct {
  struct pair *list;
  int count;
  int misplaced; /* a thread was not where it was pinned */
  pthread_barrier_t both;
  struct exchange *exchange;
  struct recorder recorder;
} pairs;

static int prepare(struct run *run) {
  const struct options *options = &run->options;
  if (options->cpu_count < 2) usage("--cpus: core-to-core needs two CPUs or more");
  pairs.list = calloc((size_t)options->cpu_count * (size_t)(options->cpu_count - 1) / 2, sizeof *pairs.list);
  if (pairs.list == NULL) fail("no memory for the pairs of %d CPUs", options->cpu_count);
  for (int a = 0; a < options->cpu_count; a++)
    for (int b = a + 1; b < options->cpu_count; b++)
      pairs.list[pairs.count++] = (struct pair){.asker = options->cpus[a], .answerer = options->cpus[b]};
  pthread_barrier_init(&pairs.both, NULL, 2);
  return 2;
}

static void allocate(struct worker *worker) {
  if (worker->index > 0) return;
  pairs.exchange = allocate_local(sizeof *pairs.exchange);
  recorder_allocate(&pairs.recorder, IN_NS);
}

static void ask_until(struct run *run, uint64_t until) {
  uint64_t after = 0;
  while (after < until && !run_stopped(run)) {
    uint64_t before = clock_now();
    exchange_ask(pairs.exchange);
    after = clock_now();
    recorder_add(&pairs.recorder, after, clock_ns_of(after - before));
  }
}

static void warm_up(struct worker *worker, uint64_t until) {
  if (worker->index > 0) {
    exchange_answer(pairs.exchange);
    return;
  }
  recorder_open(&pairs.recorder, 0, clock_now(), 3600 * NS_PER_SECOND);
  ask_until(worker->run, until);
  exchange_end(pairs.exchange);
  recorder_discard(&pairs.recorder);
}

static void move_to(int cpu) {
  pin_to(cpu);
  if (sched_getcpu() != cpu) fail("CPU %d: the thread was pinned there and runs on CPU %d", cpu, sched_getcpu());
}

static void ask_pair(struct run *run, int index, uint64_t until) {
  struct pair *pair = &pairs.list[index];
  uint64_t now = clock_now();
  uint64_t span = until > now ? until - now : 0;
  recorder_open(&pairs.recorder, (uint32_t)index, now, run->options.block_ns);
  ask_until(run, now + span / 5 * 4);
  recorder_close(&pairs.recorder, clock_now());
  exchange_end(pairs.exchange);
  pthread_barrier_wait(&pairs.both);
  pair->skew = exchange_measure_skew(pairs.exchange, until, &run->stop);
  exchange_end(pairs.exchange);
  pair->done = !run_stopped(run);
}

static void measure(struct worker *worker) {
  struct run *run = worker->run;
  uint64_t span = (run->end - run->start) / (uint64_t)pairs.count;
  for (int index = 0; index < pairs.count; index++) {
    int cpu = worker->index == 0 ? pairs.list[index].asker : pairs.list[index].answerer;
    move_to(cpu);
    worker->cpu = cpu;
    pthread_barrier_wait(&pairs.both);
    if (worker->index == 0) {
      ask_pair(run, index, run->start + span * (uint64_t)(index + 1));
    } else {
      exchange_answer(pairs.exchange);
      pthread_barrier_wait(&pairs.both);
      exchange_answer_with_time(pairs.exchange);
    }
    if (sched_getcpu() != cpu) pairs.misplaced++;
    /* Both have left the pair; nobody moves while the other still waits for an answer. */
    pthread_barrier_wait(&pairs.both);
  }
}

static void empty(struct run *run) {
  (void)run;
  recorder_empty(&pairs.recorder);
}

static void describe(struct run *run, struct text *meta) {
  (void)run;
  text_add(meta, ",\"streams\":[");
  for (int index = 0; index < pairs.count; index++)
    text_add(meta, "%s{\"id\":%d,\"name\":\"round-trip\",\"cpu\":%d,\"peer\":%d,\"unit\":\"ns\",\"what\":\"a cache line to the peer and one back\"}",
             index == 0 ? "" : ",", index, pairs.list[index].asker, pairs.list[index].answerer);
  text_add(meta, "]");
}

static void conclude(struct run *run, struct text *result) {
  (void)run;
  text_add(result, ",\"lost\":{},\"misplaced\":%d,\"pairs\":[", pairs.misplaced);
  bool first = true;
  for (int index = 0; index < pairs.count; index++) {
    if (!pairs.list[index].done) continue;
    text_add(result, "%s{\"stream\":%d,\"cpu\":%d,\"peer\":%d,\"skew\":{", first ? "" : ",", index, pairs.list[index].asker, pairs.list[index].answerer);
    skew_describe(&pairs.list[index].skew, result);
    text_add(result, "}}");
    first = false;
  }
  text_add(result, "]");
}

static bool spins(void) { return true; }

static const struct option_spec options[] = {{0}};

const struct probe core_to_core_probe = {.name = "core-to-core",
                                         .options = options,
                                         .spins = spins,
                                         .prepare = prepare,
                                         .allocate = allocate,
                                         .warm_up = warm_up,
                                         .measure = measure,
                                         .empty = empty,
                                         .describe = describe,
                                         .conclude = conclude};
