/*
 * open: sent at given times, latency from the time intended, however late it was sent. closed: each is sent when the one before
 * has arrived. Both in turns of one block, three open ones and a closed one, so that both meet the same disturbances.
 */
#include "traffic.h"

#include <stdio.h>

#include "blocks.h"
#include "exchange.h"
#include "failure.h"
#include "pacing.h"

/* Each phase has an end of its own: one that was sent twice, because the first was slow, does not end the next phase. */
enum { KIND_WARM, KIND_OPEN, KIND_CLOSED, KIND_WARM_END, KIND_END };

#define SKEW_NS (50 * 1000 * 1000)
#define PATIENCE_NS NS_PER_SECOND
#define TURNS 4
#define CLOSED_TURN 3

struct traffic_terms traffic_terms = {.direction = TRAFFIC_ROUND_TRIP, .message_bytes = 64, .wait = WAIT_SPIN};
const char *const TRAFFIC_DIRECTIONS[] = {"round-trip", "one-way", NULL};
const char *const TRAFFIC_WAITS[] = {"spin", "block", NULL};

static struct {
  const struct channel *channel;
  struct exchange *exchange;
  struct skew skew;
  uint64_t interval_ticks;
  /* The asker's. */
  _Alignas(APART) uint64_t number; /* of the last letter */
  uint64_t sent;                   /* of those that are to be samples */
  uint64_t unsent;                 /* intended before the end, and never sent */
  uint64_t replies_damaged;
  /* The answerer's. */
  _Alignas(APART) _Atomic uint64_t arrived; /* one way: the number of the last; there and back: of the last end */
  uint64_t requests_damaged;
  /* Of the side that takes samples: the asker there and back, the answerer one way. */
  _Alignas(APART) struct recorder open;
  struct recorder closed;
  struct recorder *running;
  uint64_t taken;
  uint64_t negative; /* one way only: arrived before it was meant to be sent, by the other clock */
} traffic;

int traffic_prepare(struct run *run) {
  if (run->options.cpu_count != 2) usage("--cpus: %s needs two CPUs, the sender's first", run->probe->name);
  if (traffic_terms.message_bytes % 64 != 0)
    usage("--payload: expected whole cache lines of 64 bytes, got %llu", (unsigned long long)traffic_terms.message_bytes);
  traffic.channel = run->probe->channel;
  return 2;
}

int traffic_prepare_alone(struct run *run) {
  traffic_terms.direction = TRAFFIC_ROUND_TRIP;
  traffic.channel = run->probe->channel;
  return 1;
}

bool traffic_spins(void) { return traffic_terms.wait == WAIT_SPIN || traffic_terms.rate_hz > 0; }

static bool is_one_way(void) { return traffic_terms.direction == TRAFFIC_ONE_WAY; }
static bool samples_here(const struct worker *worker) { return is_one_way() == (worker->index == ANSWERER); }

void traffic_allocate(struct worker *worker) {
  if (samples_here(worker)) {
    recorder_allocate(&traffic.open, IN_NS);
    recorder_allocate(&traffic.closed, IN_NS);
  }
  if (worker->index != ASKER) return;
  traffic.exchange = allocate_local(sizeof *traffic.exchange);
  traffic.channel->open(traffic_terms.message_bytes, (enum wait_kind)traffic_terms.wait);
}

static void run_stream_of(uint64_t kind, uint64_t now) {
  struct recorder *wanted = kind == KIND_OPEN ? &traffic.open : &traffic.closed;
  if (LIKELY(wanted == traffic.running)) return;
  if (traffic.running != NULL) recorder_pause(traffic.running, now);
  recorder_resume(wanted, now);
  traffic.running = wanted;
}

static void take_sample(const struct letter *letter, uint64_t now) {
  if (UNLIKELY(letter->kind != KIND_OPEN && letter->kind != KIND_CLOSED)) return;
  run_stream_of(letter->kind, now);
  traffic.taken++;
  bool is_negative = now < letter->intended;
  if (UNLIKELY(is_negative)) traffic.negative++;
  recorder_add(traffic.running, now, is_negative ? 0 : clock_ns_of(now - letter->intended));
}

/* An earlier letter's reply may still come after its time: then it is a sample like any other. */
static void await_reply(uint64_t number) {
  struct letter reply;
  do {
    if (UNLIKELY(!traffic.channel->receive(ASKER, &reply))) return;
    take_sample(&reply, clock_now());
    if (UNLIKELY(!reply.is_whole)) traffic.replies_damaged++;
  } while (UNLIKELY(reply.number < number));
}

static bool has_arrived(uint64_t number) { return atomic_load_explicit(&traffic.arrived, memory_order_acquire) >= number; }

static void await_arrival(uint64_t number) {
  uint64_t begun = clock_now();
  while (!has_arrived(number))
    if (traffic.channel->loses && clock_now() - begun > clock_ticks_in(PATIENCE_NS)) return;
}

/* The asker's part of one letter. Returns when the next may be sent. */
static void deliver(uint64_t kind, uint64_t intended) {
  struct letter letter = {.number = ++traffic.number, .intended = intended, .kind = kind};
  if (LIKELY(kind == KIND_OPEN || kind == KIND_CLOSED)) traffic.sent++;
  traffic.channel->send(ASKER, &letter);
  if (!is_one_way()) await_reply(letter.number);
  else if (kind != KIND_OPEN) await_arrival(letter.number);
}

static void deliver_closed(struct run *run, uint64_t kind, uint64_t until) {
  for (uint64_t now; (now = clock_now()) < until && !run_stopped(run);) deliver(kind, now);
}

static void deliver_open(struct run *run, uint64_t from, uint64_t until) {
  uint64_t intended = from;
  for (; intended < until && !run_stopped(run); intended += traffic.interval_ticks) {
    uint64_t now;
    while ((now = clock_read(clock_state.is_counter)) < intended && !run_stopped(run)) {
    }
    /* A rate that cannot be kept would go on for ever. */
    if (now >= run->end || now < intended) break;
    deliver(KIND_OPEN, intended);
  }
  if (!run_stopped(run) && intended < until)
    traffic.unsent += (until - intended + traffic.interval_ticks - 1) / traffic.interval_ticks;
}

/* Again until one has arrived: an end may be lost too. */
static void say_end(uint64_t kind) {
  uint64_t first = traffic.number + 1;
  if (traffic.channel->answers_itself) return;
  do {
    deliver(kind, 0);
  } while (!has_arrived(first));
}

static void answer(uint64_t until_kind) {
  struct letter letter;
  do {
    if (!traffic.channel->receive(ANSWERER, &letter)) {
      letter.kind = KIND_WARM;
      continue;
    }
    if (is_one_way()) take_sample(&letter, clock_now());
    if (UNLIKELY(!letter.is_whole)) traffic.requests_damaged++;
    /* Before the reply: who has that looks here. */
    if (is_one_way() || letter.kind == until_kind) atomic_store_explicit(&traffic.arrived, letter.number, memory_order_release);
    if (!is_one_way()) traffic.channel->send(ANSWERER, &letter);
  } while (letter.kind != until_kind);
}

void traffic_warm_up(struct worker *worker, uint64_t until) {
  if (worker->index == ANSWERER) {
    exchange_answer_with_time(traffic.exchange);
    answer(KIND_WARM_END);
    return;
  }
  if (!traffic.channel->answers_itself) {
    traffic.skew = exchange_measure_skew(traffic.exchange, clock_now() + clock_ticks_in(SKEW_NS), &worker->run->stop);
    exchange_end(traffic.exchange);
  }
  deliver_closed(worker->run, KIND_WARM, until);
  say_end(KIND_WARM_END);
}

static void send_all(struct run *run) {
  uint64_t turn_ticks = clock_ticks_in(run->options.block_ns);
  uint64_t from = run->start;
  for (unsigned turn = 0; from < run->end && !run_stopped(run); turn++) {
    uint64_t until = from + turn_ticks < run->end ? from + turn_ticks : run->end;
    if (traffic_terms.rate_hz == 0 || turn % TURNS == CLOSED_TURN) deliver_closed(run, KIND_CLOSED, until);
    else deliver_open(run, from, until);
    from = until;
  }
  say_end(KIND_END);
}

void traffic_measure(struct worker *worker) {
  struct run *run = worker->run;
  if (samples_here(worker)) {
    recorder_open(&traffic.open, 0, run->start, run->options.block_ns);
    recorder_open(&traffic.closed, 1, run->start, run->options.block_ns);
    recorder_pause(&traffic.open, run->start);
    recorder_pause(&traffic.closed, run->start);
  }
  if (worker->index == ASKER) {
    traffic.interval_ticks = traffic_terms.rate_hz == 0 ? 1 : out_of_step(clock_ticks_in(NS_PER_SECOND) / traffic_terms.rate_hz);
    send_all(run);
  } else {
    answer(KIND_END);
  }
  if (!samples_here(worker)) return;
  uint64_t now = clock_now();
  recorder_close(&traffic.open, now);
  recorder_close(&traffic.closed, now);
}

void traffic_empty(struct run *run) {
  (void)run;
  recorder_empty(&traffic.open);
  recorder_empty(&traffic.closed);
}

void traffic_describe(struct run *run, struct text *meta) {
  const int *cpus = run->options.cpus;
  text_add(meta, ",\"direction\":\"%s\",\"payloadBytes\":%llu,\"wait\":\"%s\",\"rateHz\":%llu", TRAFFIC_DIRECTIONS[traffic_terms.direction],
           (unsigned long long)traffic_terms.message_bytes, TRAFFIC_WAITS[traffic_terms.wait], (unsigned long long)traffic_terms.rate_hz);
  if (traffic.channel->describe != NULL) traffic.channel->describe(meta);
  if (!traffic.channel->answers_itself) {
    text_add(meta, ",\"skew\":{");
    skew_describe(&traffic.skew, meta);
    text_add(meta, "}");
  }
  char place[64];
  bool has_peer = run->options.cpu_count > 1;
  snprintf(place, sizeof place, has_peer ? "\"cpu\":%d,\"peer\":%d" : "\"cpu\":%d", cpus[0], has_peer ? cpus[1] : 0);
  text_add(meta, ",\"streams\":[");
  if (traffic_terms.rate_hz > 0)
    text_add(meta, "{\"id\":0,\"name\":\"open\",%s,\"unit\":\"ns\",\"what\":\"from the intended time of sending\"},", place);
  text_add(meta, "{\"id\":1,\"name\":\"closed\",%s,\"unit\":\"ns\",\"what\":\"each sent when the one before has arrived\"}]", place);
}

void traffic_conclude(struct run *run, struct text *result) {
  (void)run;
  text_add(result, ",\"lost\":{},\"sent\":%llu,\"dropped\":%llu,\"unsent\":%llu,\"negative\":%llu,\"damaged\":%llu", (unsigned long long)traffic.sent,
           (unsigned long long)(traffic.sent - traffic.taken), (unsigned long long)traffic.unsent, (unsigned long long)traffic.negative,
           (unsigned long long)(traffic.requests_damaged + traffic.replies_damaged));
}
