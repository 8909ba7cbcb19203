/*
 * pipeline: a synthetic critical path. gateway -> market-data -> strategy -> risk -> order, a thread each, with rings between
 * them. Messages arrive in a pattern (arrivals.h), open loop: whatever waits waits since the time intended. What a stage does
 * with a message is made up (stage_work.h) and of a fixed amount; every message becomes an order.
 *
 * A stage's time is from where the stage before handed the message over to where it hands it on itself, so that the times of the
 * stages add up to tick-to-order. `service` is the part from where it had the message; the rest is waiting and the way through
 * the ring. What stands in a stamp is before the message is written to the next ring, which therefore counts there.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "arrivals.h"
#include "blocks.h"
#include "exchange.h"
#include "failure.h"
#include "probes.h"
#include "ring.h"
#include "stage_work.h"
#include "submission.h"

enum { GATEWAY, MARKET_DATA, STRATEGY, RISK, ORDER, STAGES };
/* Each phase has an end of its own. */
enum { KIND_WARM, KIND_TICK, KIND_WARM_END, KIND_END };

#define SKEW_NS (10 * 1000 * 1000)
/* A burst just before the end is still admitted; who is behind by more than this does not keep the rate. */
#define LATEST_NS (10 * 1000 * 1000)
#define FEED_BYTES 1024
#define ORDER_BYTES 64
/* The stream of a stage's time is its index. */
#define STREAM_WHOLE STAGES
#define STREAM_SERVICE_OF(stage) (STAGES + (uint32_t)(stage))

static const char *const NAMES[STAGES] = {"gateway", "market-data", "strategy", "risk", "order"};

/* Fixed: a figure of one host is to be compared with that of another. The sizes are those of a level 2 cache and below. */
static const struct stage_work WORK[STAGES] = {
    [GATEWAY] = {.lines = 0, .state_bytes = 64, .steps = 16},            /* beside writing 1 KB */
    [MARKET_DATA] = {.lines = 16, .state_bytes = 256 * 1024, .steps = 64}, /* beside reading 1 KB: 16 levels of a book */
    [STRATEGY] = {.lines = 32, .state_bytes = 256 * 1024, .steps = 128},
    [RISK] = {.lines = 16, .state_bytes = 64 * 1024, .steps = 64},
    [ORDER] = {.lines = 8, .state_bytes = 64 * 1024, .steps = 64}, /* beside submitting it */
};

static uint64_t rate_hz = 100000;
static uint64_t wait_kind = WAIT_SPIN;
static uint64_t submit_kind = SUBMIT_MEMORY;
static const char *pattern_file; /* NULL: the shipped one */
static const char *const WAITS[] = {"spin", "block", NULL};

/* Its thread's alone, but for `in` and `out`, which the threads beside it open. */
struct stage {
  _Alignas(APART) struct ring_end in;
  _Alignas(APART) struct ring_end out;
  _Alignas(APART) uint64_t *state;
  struct recorder total;
  struct recorder service; /* not of the gateway, whose work is to write a message */
  uint64_t negative;       /* had a message before it was handed over, by the clock of the CPU before */
  uint64_t damaged;
  uint64_t result; /* of the work */
};

static struct {
  struct stage stages[STAGES];
  struct exchange *exchanges[STAGES]; /* from each stage to the next, and from the last to the first */
  struct skew skews[STAGES];
  bool shared; /* several stages on one CPU: to see that it works, not to measure */
  /* The gateway's. */
  _Alignas(APART) struct arrivals arrivals;
  uint64_t number;
  uint64_t sent;
  uint64_t unsent;
  /* The order stage's. */
  _Alignas(APART) struct recorder whole;
  uint64_t whole_negative;
  uint64_t taken;
} pipeline;

static int prepare(struct run *run) {
  struct options *options = &run->options;
  int given = options->cpu_count;
  if (given > STAGES) usage("--cpus: pipeline needs five CPUs, the gateway's first, got %d", given);
  if (given < STAGES && wait_kind == WAIT_SPIN) usage("--cpus: pipeline needs five CPUs, the gateway's first; with --wait block its stages share fewer");
  if (given < STAGES && options->fifo_priority > 0) usage("--policy fifo: stages that share a CPU would lock each other out");
  pipeline.shared = given < STAGES;
  for (int i = given; i < STAGES; i++) options->cpus[i] = options->cpus[i % given];
  arrivals_load(&pipeline.arrivals, pattern_file);
  return STAGES;
}

static bool spins(void) { return true; }

static void open_ring(int from, uint64_t message_bytes) {
  void *memory = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) fail("no shared memory: mmap: %s", strerror(errno));
  ring_open(&pipeline.stages[from].out, memory, message_bytes, (enum wait_kind)wait_kind);
  ring_open(&pipeline.stages[from + 1].in, memory, message_bytes, (enum wait_kind)wait_kind);
}

static void allocate(struct worker *worker) {
  int index = worker->index;
  struct stage *stage = &pipeline.stages[index];
  stage->state = allocate_local(WORK[index].state_bytes);
  recorder_allocate(&stage->total, IN_NS);
  if (index != GATEWAY) recorder_allocate(&stage->service, IN_NS);
  pipeline.exchanges[index] = allocate_local(sizeof *pipeline.exchanges[index]);
  if (index != ORDER) {
    open_ring(index, index == GATEWAY ? FEED_BYTES : ORDER_BYTES);
    return;
  }
  recorder_allocate(&pipeline.whole, IN_NS);
  submission_open((enum submission_kind)submit_kind);
}

/* The time between two stamps of two CPUs, which may be negative by what their clocks are apart. */
static uint64_t between_ns(uint64_t from, uint64_t to, uint64_t *negative) {
  if (LIKELY(to >= from)) return clock_ns_of(to - from);
  (*negative)++;
  return 0;
}

/* What becomes of one message at a stage that is not the gateway. */
static void handle(int index, const struct letter *letter) {
  struct stage *stage = &pipeline.stages[index];
  uint64_t had = clock_now();
  stage->result += stage_work_do(&WORK[index], stage->state, letter->number);
  if (index == ORDER) submission_submit(stage->result);
  uint64_t done = clock_now();
  if (index != ORDER) {
    struct letter onward = {.number = letter->number, .intended = done, .kind = letter->kind, .began = letter->began};
    ring_send(&stage->out, &onward);
  }
  if (UNLIKELY(!letter->is_whole)) stage->damaged++;
  if (UNLIKELY(letter->kind != KIND_TICK)) return;
  recorder_add(&stage->total, done, between_ns(letter->intended, done, &stage->negative));
  recorder_add(&stage->service, done, clock_ns_of(done - had));
  if (index != ORDER) return;
  pipeline.taken++;
  recorder_add(&pipeline.whole, done, between_ns(letter->began, done, &pipeline.whole_negative));
}

static void handle_until(int index, uint64_t until_kind) {
  struct letter letter;
  do {
    ring_receive(&pipeline.stages[index].in, &letter);
    handle(index, &letter);
  } while (letter.kind != until_kind);
}

/* The gateway: the message is written where the next stage reads it. */
static void admit(uint64_t kind, uint64_t intended) {
  struct stage *gateway = &pipeline.stages[GATEWAY];
  uint64_t number = ++pipeline.number;
  gateway->result += stage_work_do(&WORK[GATEWAY], gateway->state, number);
  uint64_t done = clock_now();
  ring_send(&gateway->out, &(struct letter){.number = number, .intended = done, .kind = kind, .began = intended});
  if (UNLIKELY(kind != KIND_TICK)) return;
  pipeline.sent++;
  recorder_add(&gateway->total, done, clock_ns_of(done - intended));
}

static uint64_t wait_until(struct run *run, uint64_t intended) {
  uint64_t now;
  while ((now = clock_read(clock_state.is_counter)) < intended && !run_stopped(run))
    if (pipeline.shared) sched_yield();
  return now;
}

static void admit_all(struct run *run, uint64_t kind, uint64_t from, uint64_t until) {
  struct arrivals *arrivals = &pipeline.arrivals;
  uint64_t intended;
  uint64_t latest = kind == KIND_TICK ? until + clock_ticks_in(LATEST_NS) : until;
  arrivals_begin(arrivals, from);
  while ((intended = arrivals_next(arrivals)) < until) {
    uint64_t now = wait_until(run, intended);
    if (run_stopped(run)) return;
    /* A rate that cannot be kept would go on for ever. */
    if (now >= latest) break;
    admit(kind, intended);
  }
  if (kind != KIND_TICK) return;
  for (; intended < until; intended = arrivals_next(arrivals)) pipeline.unsent++;
}

/* Each pair in turn: a stage first answers the one before it, then asks the one behind it; the last asks the first. */
static void compare_clocks(struct run *run, int index) {
  if (index != GATEWAY) exchange_answer_with_time(pipeline.exchanges[index - 1]);
  pipeline.skews[index] = exchange_measure_skew(pipeline.exchanges[index], clock_now() + clock_ticks_in(SKEW_NS), &run->stop);
  exchange_end(pipeline.exchanges[index]);
  if (index == GATEWAY) exchange_answer_with_time(pipeline.exchanges[ORDER]);
}

static void warm_up(struct worker *worker, uint64_t until) {
  if (!pipeline.shared) compare_clocks(worker->run, worker->index);
  if (worker->index != GATEWAY) {
    handle_until(worker->index, KIND_WARM_END);
    return;
  }
  arrivals_scale(&pipeline.arrivals, rate_hz);
  admit_all(worker->run, KIND_WARM, clock_now(), until);
  admit(KIND_WARM_END, 0);
}

static void measure(struct worker *worker) {
  struct run *run = worker->run;
  int index = worker->index;
  struct stage *stage = &pipeline.stages[index];
  stage->out.full = 0;
  recorder_open(&stage->total, (uint32_t)index, run->start, run->options.block_ns);
  if (index != GATEWAY) recorder_open(&stage->service, STREAM_SERVICE_OF(index), run->start, run->options.block_ns);
  if (index == ORDER) recorder_open(&pipeline.whole, STREAM_WHOLE, run->start, run->options.block_ns);
  if (index == GATEWAY) {
    admit_all(run, KIND_TICK, run->start, run->end);
    admit(KIND_END, 0);
  } else {
    handle_until(index, KIND_END);
  }
  uint64_t now = clock_now();
  recorder_close(&stage->total, now);
  if (index != GATEWAY) recorder_close(&stage->service, now);
  if (index == ORDER) recorder_close(&pipeline.whole, now);
}

static void empty(struct run *run) {
  (void)run;
  for (int i = 0; i < STAGES; i++) {
    recorder_empty(&pipeline.stages[i].total);
    if (i != GATEWAY) recorder_empty(&pipeline.stages[i].service);
  }
  recorder_empty(&pipeline.whole);
}

static void describe_streams(const int *cpus, struct text *meta) {
  text_add(meta, ",\"streams\":[{\"id\":0,\"name\":\"open\",\"part\":\"gateway\",\"cpu\":%d,\"unit\":\"ns\",\"what\":\"from the intended arrival to being handed on\"}", cpus[GATEWAY]);
  for (int i = MARKET_DATA; i < STAGES; i++) {
    text_add(meta, ",{\"id\":%d,\"name\":\"open\",\"part\":\"%s\",\"cpu\":%d,\"peer\":%d,\"unit\":\"ns\",\"what\":\"from being handed over to being handed on\"}", i, NAMES[i], cpus[i - 1], cpus[i]);
    text_add(meta, ",{\"id\":%u,\"name\":\"service\",\"part\":\"%s\",\"cpu\":%d,\"peer\":%d,\"unit\":\"ns\",\"what\":\"the work alone\"}", STREAM_SERVICE_OF(i), NAMES[i], cpus[i - 1], cpus[i]);
  }
  text_add(meta, ",{\"id\":%d,\"name\":\"open\",\"part\":\"whole\",\"cpu\":%d,\"peer\":%d,\"unit\":\"ns\",\"what\":\"from the intended arrival to the order\"}]", STREAM_WHOLE, cpus[GATEWAY], cpus[ORDER]);
}

static void describe_clocks(const int *cpus, struct text *meta) {
  text_add(meta, ",\"skews\":[");
  for (int i = 0; i < STAGES && !pipeline.shared; i++) {
    text_add(meta, "%s{\"cpu\":%d,\"peer\":%d,\"skew\":{", i == 0 ? "" : ",", cpus[i], cpus[(i + 1) % STAGES]);
    skew_describe(&pipeline.skews[i], meta);
    text_add(meta, "}}");
  }
  text_add(meta, "]");
}

static void describe(struct run *run, struct text *meta) {
  text_add(meta, ",\"synthetic\":true,\"direction\":\"one-way\",\"wait\":\"%s\",\"rateHz\":%llu,\"submit\":\"%s\",\"stagesShareCpus\":%s", WAITS[wait_kind],
           (unsigned long long)rate_hz, SUBMISSIONS[submit_kind], pipeline.shared ? "true" : "false");
  text_add(meta, ",\"pattern\":{\"source\":\"%s\",\"arrivals\":%zu}", pattern_file == NULL ? "shipped" : "own", pipeline.arrivals.count);
  text_add(meta, ",\"stages\":[");
  for (int i = 0; i < STAGES; i++)
    text_add(meta, "%s{\"part\":\"%s\",\"cpu\":%d,\"payloadBytes\":%d,\"lines\":%llu,\"stateBytes\":%llu,\"steps\":%llu}", i == 0 ? "" : ",", NAMES[i],
             run->options.cpus[i], i <= MARKET_DATA ? FEED_BYTES : ORDER_BYTES, (unsigned long long)WORK[i].lines,
             (unsigned long long)WORK[i].state_bytes, (unsigned long long)WORK[i].steps);
  text_add(meta, "]");
  describe_clocks(run->options.cpus, meta);
  describe_streams(run->options.cpus, meta);
}

static void conclude(struct run *run, struct text *result) {
  (void)run;
  uint64_t negative = pipeline.whole_negative;
  uint64_t damaged = 0;
  for (int i = 0; i < STAGES; i++) {
    negative += pipeline.stages[i].negative;
    damaged += pipeline.stages[i].damaged;
  }
  text_add(result, ",\"lost\":{},\"sent\":%llu,\"dropped\":%llu,\"unsent\":%llu,\"negative\":%llu,\"damaged\":%llu,\"ringsFull\":[",
           (unsigned long long)pipeline.sent, (unsigned long long)(pipeline.sent - pipeline.taken + submission_refused()),
           (unsigned long long)pipeline.unsent, (unsigned long long)negative, (unsigned long long)damaged);
  for (int i = GATEWAY; i < ORDER; i++)
    text_add(result, "%s{\"part\":\"%s\",\"times\":%llu}", i == GATEWAY ? "" : ",", NAMES[i], (unsigned long long)pipeline.stages[i].out.full);
  text_add(result, "]");
}

static const struct option_spec options[] = {{.name = "rate", .value = &rate_hz, .least = 1, .most = 20000000},
                                             {.name = "wait", .value = &wait_kind, .choices = WAITS},
                                             {.name = "submit", .value = &submit_kind, .choices = SUBMISSIONS},
                                             {.name = "pattern", .text = &pattern_file},
                                             {0}};

const struct probe pipeline_probe = {.name = "pipeline",
                                     .options = options,
                                     .spins = spins,
                                     .prepare = prepare,
                                     .allocate = allocate,
                                     .warm_up = warm_up,
                                     .measure = measure,
                                     .empty = empty,
                                     .describe = describe,
                                     .conclude = conclude};
