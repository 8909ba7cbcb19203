/*
 * shm: messages through rings in shared memory, from a thread on the first CPU to one on the second, one way or there
 * and back. open: sent at given times, latency from the time intended, however late it was sent. closed: each is sent
 * when the one before has arrived. Both in turns of one block, three open ones and a closed one.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocks.h"
#include "exchange.h"
#include "failure.h"
#include "probes.h"
#include "ring.h"

enum { ROUND_TRIP, ONE_WAY };
enum { PAGES_4K, PAGES_2M };
enum { KIND_WARM, KIND_OPEN, KIND_CLOSED, KIND_END };

#define HUGE_BYTES (2 * 1024 * 1024)
#define SKEW_NS (50 * 1000 * 1000)
#define TURNS 4
#define CLOSED_TURN 3

static uint64_t direction = ROUND_TRIP;
static uint64_t message_bytes = 64;
static uint64_t wait_kind = WAIT_SPIN;
static uint64_t page_kind = PAGES_4K;
static uint64_t rate_hz;

static struct {
  char *memory;
  struct exchange *exchange;
  struct skew skew;
  uint64_t interval_ticks;
  uint64_t unsent;   /* intended before the end, and never sent */
  uint64_t negative; /* one way only: arrived before it was meant to be sent, by the other clock */
  /* The side that takes samples: the sender of a round trip, the receiver of one way. */
  struct recorder open;
  struct recorder closed;
  struct recorder *running;
  _Alignas(APART) struct ring_end request_out;
  struct ring_end reply_in;
  _Alignas(APART) struct ring_end request_in;
  struct ring_end reply_out;
} shm;

static int prepare(struct run *run) {
  if (run->options.cpu_count != 2) usage("--cpus: shm needs two CPUs, the sender's first");
  if (message_bytes % 64 != 0) usage("--payload: expected whole cache lines of 64 bytes, got %llu", (unsigned long long)message_bytes);
  return 2;
}

static char *map_shared(size_t bytes, bool huge) {
  int file = memfd_create("hft-shm", MFD_CLOEXEC | (huge ? MFD_HUGETLB | (21u << 26) : 0u)); /* MFD_HUGE_2MB */
  if (file < 0 && huge) unsupported("a kernel with hugetlbfs and 2 MiB pages", "no shared memory of 2 MiB pages: %s", strerror(errno));
  if (file < 0 || ftruncate(file, (off_t)bytes) != 0) fail("no shared memory: %s", strerror(errno));
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  if (memory == MAP_FAILED && huge && errno == ENOMEM)
    unsupported("one free page of 2 MiB: profile key memory.hugepages.2M", "no hugepage of 2 MiB is free");
  if (memory == MAP_FAILED) fail("no shared memory: mmap: %s", strerror(errno));
  close(file);
  return memory;
}

static bool samples_here(const struct worker *worker) { return (direction == ONE_WAY) == (worker->index == 1); }

static void allocate(struct worker *worker) {
  if (samples_here(worker)) {
    recorder_allocate(&shm.open, IN_NS);
    recorder_allocate(&shm.closed, IN_NS);
  }
  if (worker->index > 0) return;
  shm.memory = map_shared(HUGE_BYTES, page_kind == PAGES_2M);
  shm.exchange = (struct exchange *)(shm.memory + 2 * RING_BYTES);
  ring_open(&shm.request_out, shm.memory, message_bytes, (enum wait_kind)wait_kind);
  ring_open(&shm.request_in, shm.memory, message_bytes, (enum wait_kind)wait_kind);
  ring_open(&shm.reply_out, shm.memory + RING_BYTES, message_bytes, (enum wait_kind)wait_kind);
  ring_open(&shm.reply_in, shm.memory + RING_BYTES, message_bytes, (enum wait_kind)wait_kind);
}

_Static_assert(2 * RING_BYTES + sizeof(struct exchange) <= HUGE_BYTES, "two rings fit into one hugepage");

static void run_stream_of(uint64_t kind, uint64_t now) {
  struct recorder *wanted = kind == KIND_OPEN ? &shm.open : &shm.closed;
  if (LIKELY(wanted == shm.running)) return;
  if (shm.running != NULL) recorder_pause(shm.running, now);
  recorder_resume(wanted, now);
  shm.running = wanted;
}

static void take_sample(uint64_t kind, uint64_t intended, uint64_t now) {
  if (UNLIKELY(kind == KIND_WARM)) return;
  run_stream_of(kind, now);
  if (UNLIKELY(now < intended)) {
    shm.negative++;
    intended = now;
  }
  recorder_add(shm.running, now, clock_ns_of(now - intended));
}

/* The sender's part of one message. Returns when the next may be sent. */
static void deliver(uint64_t kind, uint64_t intended) {
  ring_send(&shm.request_out, intended, kind);
  if (direction == ROUND_TRIP) {
    ring_receive(&shm.reply_in);
    take_sample(kind, intended, clock_now());
  } else if (kind != KIND_OPEN) {
    ring_wait_until_read(&shm.request_out);
  }
}

static void deliver_closed(struct run *run, uint64_t kind, uint64_t until) {
  for (uint64_t now; (now = clock_now()) < until && !run_stopped(run);) deliver(kind, now);
}

static void deliver_open(struct run *run, uint64_t from, uint64_t until) {
  uint64_t intended = from;
  for (; intended < until && !run_stopped(run); intended += shm.interval_ticks) {
    uint64_t now;
    while ((now = clock_read(clock_state.is_counter)) < intended && !run_stopped(run)) {
    }
    /* A rate that cannot be kept would go on for ever. */
    if (now >= run->end || now < intended) break;
    deliver(KIND_OPEN, intended);
  }
  if (!run_stopped(run) && intended < until) shm.unsent += (until - intended + shm.interval_ticks - 1) / shm.interval_ticks;
}

static void answer(void) {
  for (;;) {
    struct received request = ring_receive(&shm.request_in);
    if (direction == ROUND_TRIP) ring_send(&shm.reply_out, request.intended, request.kind);
    else if (request.kind != KIND_END) take_sample(request.kind, request.intended, clock_now());
    if (request.kind == KIND_END) return;
  }
}

static void say_end(void) {
  ring_send(&shm.request_out, 0, KIND_END);
  if (direction == ROUND_TRIP) ring_receive(&shm.reply_in);
}

static void warm_up(struct worker *worker, uint64_t until) {
  if (worker->index == 1) {
    exchange_answer_with_time(shm.exchange);
    answer();
    return;
  }
  shm.skew = exchange_measure_skew(shm.exchange, clock_now() + clock_ticks_in(SKEW_NS), &worker->run->stop);
  exchange_end(shm.exchange);
  deliver_closed(worker->run, KIND_WARM, until);
  say_end();
}

static void send_all(struct run *run) {
  uint64_t turn_ticks = clock_ticks_in(run->options.block_ns);
  uint64_t from = run->start;
  for (unsigned turn = 0; from < run->end && !run_stopped(run); turn++) {
    uint64_t until = from + turn_ticks < run->end ? from + turn_ticks : run->end;
    if (rate_hz == 0 || turn % TURNS == CLOSED_TURN) deliver_closed(run, KIND_CLOSED, until);
    else deliver_open(run, from, until);
    from = until;
  }
  say_end();
}

static void measure(struct worker *worker) {
  struct run *run = worker->run;
  if (samples_here(worker)) {
    recorder_open(&shm.open, 0, run->start, run->options.block_ns);
    recorder_open(&shm.closed, 1, run->start, run->options.block_ns);
    recorder_pause(&shm.open, run->start);
    recorder_pause(&shm.closed, run->start);
  }
  if (worker->index == 0) {
    shm.interval_ticks = rate_hz == 0 ? 1 : clock_ticks_in(NS_PER_SECOND) / rate_hz;
    send_all(run);
  } else {
    answer();
  }
  if (!samples_here(worker)) return;
  uint64_t now = clock_now();
  recorder_close(&shm.open, now);
  recorder_close(&shm.closed, now);
}

static void empty(struct run *run) {
  (void)run;
  recorder_empty(&shm.open);
  recorder_empty(&shm.closed);
}

static const char *const DIRECTIONS[] = {"round-trip", "one-way", NULL};
static const char *const WAITS[] = {"spin", "block", NULL};
static const char *const PAGES[] = {"4k", "2m", NULL};

static void describe(struct run *run, struct text *meta) {
  const int *cpus = run->options.cpus;
  text_add(meta, ",\"direction\":\"%s\",\"payloadBytes\":%llu,\"wait\":\"%s\",\"pages\":\"%s\",\"rateHz\":%llu", DIRECTIONS[direction],
           (unsigned long long)message_bytes, WAITS[wait_kind], PAGES[page_kind], (unsigned long long)rate_hz);
  text_add(meta, ",\"skew\":{");
  skew_describe(&shm.skew, meta);
  text_add(meta, "},\"streams\":[");
  if (rate_hz > 0)
    text_add(meta, "{\"id\":0,\"name\":\"open\",\"cpu\":%d,\"peer\":%d,\"unit\":\"ns\",\"what\":\"from the intended time of sending\"},", cpus[0], cpus[1]);
  text_add(meta, "{\"id\":1,\"name\":\"closed\",\"cpu\":%d,\"peer\":%d,\"unit\":\"ns\",\"what\":\"each sent when the one before has arrived\"}]", cpus[0], cpus[1]);
}

static void conclude(struct run *run, struct text *result) {
  (void)run;
  text_add(result, ",\"lost\":{},\"unsent\":%llu,\"negative\":%llu,\"damaged\":%llu", (unsigned long long)shm.unsent,
           (unsigned long long)shm.negative, (unsigned long long)(shm.request_in.damaged + shm.reply_in.damaged));
}

static bool spins(void) { return wait_kind == WAIT_SPIN || rate_hz > 0; }

static const struct option_spec options[] = {{"direction", &direction, 0, 0, DIRECTIONS},
                                             {"payload", &message_bytes, 64, 4096, NULL},
                                             {"wait", &wait_kind, 0, 0, WAITS},
                                             {"pages", &page_kind, 0, 0, PAGES},
                                             {"rate", &rate_hz, 0, 20000000, NULL},
                                             {0}};

const struct probe shm_probe = {.name = "shm",
                                .options = options,
                                .spins = spins,
                                .prepare = prepare,
                                .allocate = allocate,
                                .warm_up = warm_up,
                                .measure = measure,
                                .empty = empty,
                                .describe = describe,
                                .conclude = conclude};
