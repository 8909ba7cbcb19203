/*
 * network: round trips to a responder (serve.c) on another host. In turns of one block: open ones, every fourth closed, every eighth
 * open with stamps (split.h), which cost a microsecond or so and have streams of their own.
 */
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "pacing.h"
#include "probes.h"
#include "round_trips.h"
#include "traffic.h"

#define CLOSED_EVERY 4
#define STAMPED_EVERY 8
#define STAMPED_TURN 1
#define WARM_TRIPS 20
#define WARM_TURN_NS (1000 * 1000)

static struct peer_terms terms;
static uint64_t transport;
static const char *xdp_interface;
static struct round_trips all = {.running = -1};

static bool spins(void) { return true; }

/* Its stamps are those of the kernel's stack, which sees nothing of this. */
static void go_past_kernel(void) {
  struct xdp_problem problem;
  all.xdp = xdp_open(xdp_interface, all.peer.messages, all.message_bytes, &problem);
  if (all.xdp == NULL) unsupported(problem.need, "%s", problem.why);
  all.peer.is_stamping = false;
}

static int prepare(struct run *run) {
  if (run->options.cpu_count != 1) usage("--cpus: network needs one CPU");
  if (terms.server == NULL) usage("--server is missing: the address and port of a responder");
  if (traffic_terms.message_bytes % 8 != 0) usage("--payload: expected whole words of 8 bytes, got %llu", (unsigned long long)traffic_terms.message_bytes);
  if (traffic_terms.rate_hz == 0) usage("--rate is missing: messages a second");
  terms.transport = (enum transport)transport;
  terms.message_bytes = traffic_terms.message_bytes;
  terms.wait = traffic_terms.wait;
  terms.wants_xdp = xdp_interface != NULL;
  all.run = run;
  all.message_bytes = traffic_terms.message_bytes;
  all.is_over_tcp = terms.transport == OVER_TCP;
  all.blocks = traffic_terms.wait == WAIT_BLOCK;
  if (xdp_interface != NULL && (all.is_over_tcp || all.blocks)) usage("--xdp goes with --transport udp and --wait spin");
  peer_greet(&all.peer, &terms);
  if (xdp_interface != NULL) go_past_kernel();
  return 1;
}

static void allocate(struct worker *worker) {
  (void)worker;
  trips_allocate(&all.trips, traffic_terms.rate_hz);
  split_allocate(&all.split);
  for (int i = 0; i < STREAMS; i++) recorder_allocate(&all.streams[i], IN_NS);
}

static void warm_up(struct worker *worker, uint64_t until) {
  round_trips_closed(&all, KIND_WARM, until);
  while (all.number < WARM_TRIPS && !run_stopped(worker->run)) round_trips_closed(&all, KIND_WARM, clock_now() + clock_ticks_in(WARM_TURN_NS));
  round_trips_await(&all);
  if (all.trips.answered == 0 && !run_stopped(worker->run))
    unsupported(all.is_over_tcp ? "a responder that answers" : "a firewall that lets UDP of that port pass, in both directions",
                "the responder at %s is there over TCP, and none of %llu %s came back", all.peer.address.name, (unsigned long long)all.trips.sent,
                all.is_over_tcp ? "messages" : "datagrams");
  split_settle(&all.split, all.peer.has_same_clock);
  trips_forget(&all.trips);
  all.stamped = all.damaged = all.strangers = 0;
}

static enum trip_kind kind_of(unsigned turn) {
  if (turn % CLOSED_EVERY == CLOSED_EVERY - 1) return KIND_CLOSED;
  return turn % STAMPED_EVERY == STAMPED_TURN && all.peer.is_stamping ? KIND_STAMPED : KIND_OPEN;
}

static void send_all(struct run *run) {
  uint64_t turn_ticks = clock_ticks_in(run->options.block_ns);
  uint64_t from = run->start;
  for (unsigned turn = 0; from < run->end && !run_stopped(run); turn++) {
    uint64_t until = from + turn_ticks < run->end ? from + turn_ticks : run->end;
    enum trip_kind kind = kind_of(turn);
    if (kind == KIND_CLOSED) round_trips_closed(&all, kind, until);
    else round_trips_open(&all, kind, from, until);
    from = until;
  }
  round_trips_await(&all);
}

static void measure(struct worker *worker) {
  struct run *run = worker->run;
  all.interval_ticks = out_of_step(clock_ticks_in(NS_PER_SECOND) / traffic_terms.rate_hz);
  for (uint32_t i = 0; i < STREAMS; i++) {
    recorder_open(&all.streams[i], i, run->start, run->options.block_ns);
    recorder_pause(&all.streams[i], run->start);
  }
  split_open(&all.split, FIRST_SPLIT_STREAM, run->start, run->end, run->options.block_ns);
  send_all(run);
  uint64_t now = clock_now();
  for (int i = 0; i < STREAMS; i++) recorder_close(&all.streams[i], now);
  split_close(&all.split, now);
}

static void empty(struct run *run) {
  (void)run;
  peer_watch(&all.peer);
  for (int i = 0; i < STREAMS; i++) recorder_empty(&all.streams[i]);
  split_empty(&all.split);
}

static void describe_end(const char *name, const struct end_facts *facts, struct text *meta) {
  text_add(meta, ",\"%s\":{\"version\":\"%s\",\"card\":\"%s\",\"hasHardware\":%s,\"whyNoHardware\":\"%s\",\"clock\":\"%s\"", name, facts->program, facts->card,
           facts->has_hardware ? "true" : "false", facts->why_no_hardware, facts->clock);
  if (facts->is_disciplined) text_add(meta, ",\"clockErrorNs\":%llu", (unsigned long long)facts->clock_error_ns);
  text_add(meta, "}");
}

static void describe(struct run *run, struct text *meta) {
  const struct welcome *welcome = &all.peer.welcome;
  const char *name = xdp_interface == NULL ? TRANSPORTS[transport] : "xdp";
  char place[32];
  snprintf(place, sizeof place, "\"cpu\":%d", run->options.cpus[0]);
  text_add(meta, ",\"direction\":\"round-trip\",\"part\":\"%s\",\"payloadBytes\":%llu,\"wait\":\"%s\",\"rateHz\":%llu", name,
           (unsigned long long)traffic_terms.message_bytes, TRAFFIC_WAITS[traffic_terms.wait], (unsigned long long)traffic_terms.rate_hz);
  if (xdp_interface != NULL)
    text_add(meta, ",\"xdp\":{\"interface\":\"%s\",\"atPeer\":%s}", all.peer.here.card, welcome->has_xdp ? "true" : "false");
  text_add(meta, ",\"network\":{\"address\":\"%s\",\"peerWait\":\"%s\",\"peerCpu\":%d,\"sameClock\":%s,\"stamps\":%s", all.peer.address.name,
           welcome->wait == WAIT_SPIN ? "spin" : "block", welcome->cpu, all.peer.has_same_clock ? "true" : "false",
           all.peer.is_stamping ? "true" : "false");
  describe_end("here", &all.peer.here, meta);
  describe_end("peer", &welcome->facts, meta);
  text_add(meta, "},\"streams\":[{\"id\":%d,\"name\":\"open\",%s,\"unit\":\"ns\",\"what\":\"from the intended time of sending\"}", STREAM_OPEN, place);
  text_add(meta, ",{\"id\":%d,\"name\":\"closed\",%s,\"unit\":\"ns\",\"what\":\"each sent when the one before is back\"}", STREAM_CLOSED, place);
  text_add(meta, ",{\"id\":%d,\"name\":\"stamped\",%s,\"unit\":\"ns\",\"what\":\"as open, with the kernel's stamps\"}", STREAM_STAMPED, place);
  split_describe(meta, FIRST_SPLIT_STREAM, place, name);
  text_add(meta, "]");
}

/* Which way the missing ones were lost is known when the peer says how many came. */
static void conclude(struct run *run, struct text *result) {
  struct tally tally;
  const struct trips *trips = &all.trips;
  (void)run;
  uint64_t overflowed = all.xdp != NULL ? xdp_overflowed(all.xdp) : all.is_over_tcp ? 0 : session_overflowed(all.peer.messages);
  bool is_told = peer_part(&all.peer, all.message_bytes, &tally);
  text_add(result, ",\"lost\":{},\"sent\":%llu,\"dropped\":%llu,\"unsent\":%llu,\"negative\":0,\"damaged\":%llu", (unsigned long long)trips->sent,
           (unsigned long long)(trips->sent - trips->answered), (unsigned long long)all.unsent, (unsigned long long)all.damaged);
  text_add(result, ",\"reordered\":%llu,\"repeated\":%llu,\"late\":%llu,\"strangers\":%llu,\"stamped\":%llu,\"overflowed\":%llu", (unsigned long long)trips->reordered,
           (unsigned long long)trips->repeated, (unsigned long long)trips->late, (unsigned long long)all.strangers, (unsigned long long)all.stamped,
           (unsigned long long)overflowed);
  split_conclude(&all.split, result);
  if (is_told)
    text_add(result, ",\"peerTally\":{\"sent\":%llu,\"answered\":%llu,\"received\":%llu,\"replied\":%llu,\"repeated\":%llu,\"reordered\":%llu,\"damaged\":%llu,\"overflowed\":%llu,\"strangers\":%llu}",
             (unsigned long long)all.number, (unsigned long long)(trips->answered_before + trips->answered), (unsigned long long)tally.received,
             (unsigned long long)tally.replied, (unsigned long long)tally.repeated, (unsigned long long)tally.reordered,
             (unsigned long long)tally.damaged, (unsigned long long)tally.overflowed, (unsigned long long)tally.strangers);
}

static const struct option_spec options[] = {TRAFFIC_TERMS,
                                             {.name = "server", .text = &terms.server},
                                             {.name = "transport", .value = &transport, .choices = TRANSPORTS},
                                             {.name = "xdp", .text = &xdp_interface},
                                             {0}};
const struct probe network_probe = {.name = "network",
                                    .options = options,
                                    .spins = spins,
                                    .prepare = prepare,
                                    .allocate = allocate,
                                    .warm_up = warm_up,
                                    .measure = measure,
                                    .empty = empty,
                                    .describe = describe,
                                    .conclude = conclude};
