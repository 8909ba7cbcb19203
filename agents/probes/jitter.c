/*
 * jitter: each CPU reads the clock as fast as it can. When two reads are further apart than the threshold, something
 * else had the CPU: a gap. All other differences are the loop's own floor.
 */
#include "jitter.h"

#include <sched.h>

#include "blocks.h"
#include "gaps.h"
#include "probes.h"

/* Turns between two looks at the time and at the stop flag. */
#define CHUNK 256
#define FLOOR_CHUNKS 400

static uint64_t threshold_ns = 1000;

struct spin {
  struct recorder gaps;
  struct recorder loops;
  uint64_t threshold_ticks;
  /* Below it a difference is its own bucket, so that counting it is one increment. */
  uint64_t linear_ticks;
  uint64_t backwards;
  struct gap_ring *ring;
  struct largest_gaps *largest;
};

/* A read of a slow clock (HPET, ACPI timer) takes longer than the gaps that are asked for: these cannot be told from turns of the loop. */
#define TURNS_TO_TELL 4

static uint64_t told_threshold_ns(const struct run *run) {
  uint64_t least = (uint64_t)(run->loop_ns * TURNS_TO_TELL) + 1;
  return threshold_ns > least ? threshold_ns : least;
}

static void set_threshold(struct spin *spin, uint64_t ns) {
  spin->threshold_ticks = clock_ticks_in(ns);
  spin->linear_ticks = spin->threshold_ticks < SUB_BUCKETS ? spin->threshold_ticks : SUB_BUCKETS;
}

static __attribute__((noinline)) void note_long(struct spin *spin, uint64_t start, uint64_t end) {
  uint64_t ticks = end - start;
  if (ticks < spin->threshold_ticks) {
    spin->loops.current->histogram.counts[histogram_bucket(ticks)]++;
    return;
  }
  if (ticks > INT64_MAX) {
    spin->backwards++;
    return;
  }
  histogram_record(&spin->gaps.current->histogram, clock_ns_of(ticks));
  gap_ring_add(spin->ring, start, end);
}

static ALWAYS_INLINE uint64_t spin_chunk(struct spin *spin, uint64_t before, bool is_counter) {
  uint32_t *linear = spin->loops.current->histogram.counts;
  const uint64_t limit = spin->linear_ticks;
  for (int turn = 0; turn < CHUNK; turn++) {
    uint64_t now = clock_read(is_counter);
    uint64_t ticks = now - before;
    if (LIKELY(ticks < limit)) linear[ticks]++;
    else note_long(spin, before, now);
    before = now;
  }
  return before;
}

/*
 * Under SCHED_FIFO threads of the kernel that have the same priority (with PREEMPT_RT those of timers and of RCU) would wait until the
 * run ends, and with them whoever waits for RCU on any CPU. So they are let run between two blocks; what they take is a gap.
 */
static ALWAYS_INLINE uint64_t spin_until(struct run *run, struct spin *spin, uint64_t from, bool is_counter) {
  uint64_t until = run->end;
  uint64_t now = from;
  const uint64_t turn_ticks = run->options.fifo_priority > 0 ? clock_ticks_in(run->options.block_ns) : until;
  uint64_t yield_at = from + turn_ticks;
  while (now < until && !run_stopped(run)) {
    now = spin_chunk(spin, now, is_counter);
    recorder_advance(&spin->gaps, now);
    recorder_advance(&spin->loops, now);
    if (UNLIKELY(now >= yield_at)) {
      sched_yield();
      yield_at += turn_ticks;
    }
  }
  return now;
}

static void allocate(struct worker *worker) {
  struct spin *spin = worker->own = allocate_local(sizeof *spin);
  recorder_allocate(&spin->gaps, IN_NS);
  recorder_allocate(&spin->loops, IN_TICKS);
  spin->ring = allocate_local(sizeof *spin->ring);
  spin->largest = allocate_local(sizeof *spin->largest);
}

static void warm_up(struct worker *worker, uint64_t until) {
  struct spin *spin = worker->own;
  uint64_t now = clock_read(clock_state.is_counter);
  set_threshold(spin, threshold_ns);
  while (now < until && !run_stopped(worker->run)) now = spin_chunk(spin, now, clock_state.is_counter);
  recorder_discard(&spin->gaps);
  recorder_discard(&spin->loops);
  gap_ring_discard(spin->ring);
  spin->backwards = 0;
}

static void measure(struct worker *worker) {
  struct spin *spin = worker->own;
  struct run *run = worker->run;
  uint32_t stream = 2 * (uint32_t)worker->index;
  set_threshold(spin, told_threshold_ns(run));
  recorder_open(&spin->gaps, stream, run->start, run->options.block_ns);
  recorder_open(&spin->loops, stream + 1, run->start, run->options.block_ns);
  uint64_t now = clock_state.is_counter ? spin_until(run, spin, run->start, true) : spin_until(run, spin, run->start, false);
  recorder_close(&spin->gaps, now);
  recorder_close(&spin->loops, now);
}

static void empty(struct run *run) {
  for (int i = 0; i < run->worker_count; i++) {
    struct spin *spin = run->workers[i].own;
    recorder_empty(&spin->gaps);
    recorder_empty(&spin->loops);
    gap_ring_take(spin->ring, spin->largest);
  }
}

static void describe(struct run *run, struct text *meta) {
  text_add(meta, ",\"thresholdNs\":%llu,\"askedThresholdNs\":%llu,\"streams\":[",
           (unsigned long long)told_threshold_ns(run), (unsigned long long)threshold_ns);
  for (int i = 0; i < run->worker_count; i++)
    text_add(meta,
             "%s{\"id\":%d,\"name\":\"gap\",\"cpu\":%d,\"unit\":\"ns\",\"what\":\"time between two reads of the clock, above the threshold\"}"
             ",{\"id\":%d,\"name\":\"loop\",\"cpu\":%d,\"unit\":\"ns\",\"what\":\"time between two reads of the clock, below the threshold\"}",
             i == 0 ? "" : ",", 2 * i, run->workers[i].cpu, 2 * i + 1, run->workers[i].cpu);
  text_add(meta, "]");
}

static void conclude(struct run *run, struct text *result) {
  uint64_t overrun = 0, smaller = 0, backwards = 0;
  for (int i = 0; i < run->worker_count; i++) {
    struct spin *spin = run->workers[i].own;
    overrun += spin->ring->overrun;
    smaller += spin->largest->smaller;
    backwards += spin->backwards;
    largest_gaps_write(spin->largest, 2 * (uint32_t)i);
  }
  text_add(result, ",\"lost\":{\"gaps\":%llu,\"gapsOverrun\":%llu},\"backwards\":%llu", (unsigned long long)(overrun + smaller),
           (unsigned long long)overrun, (unsigned long long)backwards);
}

static bool spins(void) { return true; }

static const struct option_spec options[] = {{.name = "threshold-ns", .value = &threshold_ns, .least = 1, .most = 1000000}, {0}};

const struct probe jitter_probe = {.name = "jitter",
                                   .options = options,
                                   .spins = spins,
                                   .allocate = allocate,
                                   .warm_up = warm_up,
                                   .measure = measure,
                                   .empty = empty,
                                   .describe = describe,
                                   .conclude = conclude};

double jitter_loop_ns(void) {
  static struct spin spin;
  static struct block block;
  static struct gap_ring ring;
  uint64_t least = UINT64_MAX;
  spin.gaps.current = spin.loops.current = &block;
  spin.ring = &ring;
  set_threshold(&spin, threshold_ns);
  for (int i = 0; i < FLOOR_CHUNKS; i++) {
    uint64_t begun = clock_read(clock_state.is_counter);
    uint64_t ended = clock_state.is_counter ? spin_chunk(&spin, begun, true) : spin_chunk(&spin, begun, false);
    if (ended - begun < least) least = ended - begun;
  }
  return (double)least / CHUNK * 1e9 / clock_state.hz;
}
