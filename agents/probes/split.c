#include "split.h"

static const char *const NAMES[SPLIT_PARTS] = {"send", "wire", "card-wire", "peer", "receive", "there", "back"};
static const char *const WHATS[SPLIT_PARTS] = {
    "from the program's send until the kernel hands it to the card",
    "between the kernels there and back, without the time at the peer",
    "between the cards there and back, without the time at the peer",
    "between the peer's kernel's stamps of request and reply",
    "from the kernel's stamp of the reply until the program has it",
    "one way, there",
    "one way, back",
};

void split_allocate(struct split *split) {
  *split = (struct split){.is_paused = true};
  split->all = (struct clock_bounds){.low = INT64_MIN, .high = INT64_MAX};
  split->halves[0] = split->halves[1] = split->all;
  for (int part = 0; part < SPLIT_PARTS; part++) recorder_allocate(&split->parts[part], IN_NS);
}

void split_settle(struct split *split, bool has_same_clock) {
  const struct clock_bounds *bounds = &split->all;
  if (!has_same_clock && bounds->trips > 0) split->offset_ns = bounds->low + (bounds->high - bounds->low) / 2;
  split->all = (struct clock_bounds){.low = INT64_MIN, .high = INT64_MAX};
  split->incoherent = split->taken = 0;
}

void split_open(struct split *split, uint32_t first_stream, uint64_t now, uint64_t end, uint64_t block_ns) {
  split->middle = now + (end - now) / 2;
  for (uint32_t part = 0; part < SPLIT_PARTS; part++) {
    recorder_open(&split->parts[part], first_stream + part, now, block_ns);
    recorder_pause(&split->parts[part], now);
  }
  split->is_recording = true;
}

void split_pause(struct split *split, uint64_t now) {
  if (split->is_paused) return;
  for (int part = 0; part < SPLIT_PARTS; part++) recorder_pause(&split->parts[part], now);
  split->is_paused = true;
}

static void resume(struct split *split, uint64_t now) {
  if (!split->is_paused) return;
  for (int part = 0; part < SPLIT_PARTS; part++) recorder_resume(&split->parts[part], now);
  split->is_paused = false;
}

void split_close(struct split *split, uint64_t now) {
  for (int part = 0; part < SPLIT_PARTS; part++) recorder_close(&split->parts[part], now);
}

void split_empty(struct split *split) {
  for (int part = 0; part < SPLIT_PARTS; part++) recorder_empty(&split->parts[part]);
}

static int64_t between(uint64_t from, uint64_t to) { return (int64_t)(to - from); }

static void bound(struct clock_bounds *bounds, int64_t low, int64_t high) {
  if (low > bounds->low) bounds->low = low;
  if (high < bounds->high) bounds->high = high;
  bounds->trips++;
}

static void add(struct split *split, enum split_part part, int64_t ns, uint64_t now) {
  recorder_add(&split->parts[part], now, ns < 0 ? 0 : (uint64_t)ns);
}

static bool has_all(const struct trip *trip, enum stamp_source by) {
  return trip->sent.ns[by] != 0 && trip->received.ns[by] != 0 && trip->peer_received.ns[by] != 0 && trip->peer_sent.ns[by] != 0;
}

/* There and back between the stamps of one kind, without the time between the peer's. */
static int64_t wire_of(const struct trip *trip, enum stamp_source by) {
  return between(trip->sent.ns[by], trip->received.ns[by]) - between(trip->peer_received.ns[by], trip->peer_sent.ns[by]);
}

static void take_card(struct split *split, const struct trip *trip, uint64_t now) {
  if (!has_all(trip, BY_CARD)) return;
  int64_t wire = wire_of(trip, BY_CARD);
  if (wire < 0) split->incoherent++;
  else add(split, SPLIT_CARD_WIRE, wire, now);
}

static void take_one_way(struct split *split, const struct trip *trip, uint64_t now) {
  int64_t there = between(trip->sent.ns[BY_KERNEL], trip->peer_received.ns[BY_KERNEL]) - split->offset_ns;
  int64_t back = between(trip->peer_sent.ns[BY_KERNEL], trip->received.ns[BY_KERNEL]) + split->offset_ns;
  if (there < 0 || back < 0) split->before_sent++;
  add(split, SPLIT_THERE, there, now);
  add(split, SPLIT_BACK, back, now);
}

void split_take(struct split *split, struct trip *trip, uint64_t now) {
  if (trip->is_split || !has_all(trip, BY_KERNEL)) return;
  trip->is_split = true;
  int64_t send = between(trip->sent_ns, trip->sent.ns[BY_KERNEL]);
  int64_t receive = between(trip->received.ns[BY_KERNEL], trip->received_ns);
  int64_t peer = between(trip->peer_received.ns[BY_KERNEL], trip->peer_sent.ns[BY_KERNEL]);
  int64_t wire = wire_of(trip, BY_KERNEL);
  split->taken++;
  if (send < 0 || receive < 0 || peer < 0 || wire < 0) {
    split->incoherent++;
    return;
  }
  int64_t low = between(trip->received.ns[BY_KERNEL], trip->peer_sent.ns[BY_KERNEL]);
  int64_t high = between(trip->sent.ns[BY_KERNEL], trip->peer_received.ns[BY_KERNEL]);
  bound(&split->all, low, high);
  if (!split->is_recording) return;
  bound(&split->halves[now < split->middle ? 0 : 1], low, high);
  resume(split, now);
  add(split, SPLIT_SEND, send, now);
  add(split, SPLIT_WIRE, wire, now);
  add(split, SPLIT_PEER, peer, now);
  add(split, SPLIT_RECEIVE, receive, now);
  take_card(split, trip, now);
  take_one_way(split, trip, now);
}

void split_describe(struct text *meta, uint32_t first_stream, const char *place, const char *name) {
  for (uint32_t part = 0; part < SPLIT_PARTS; part++)
    text_add(meta, ",{\"id\":%u,\"name\":\"part\",\"part\":\"%s-%s\",%s,\"unit\":\"ns\",\"what\":\"%s\"}", first_stream + part, name, NAMES[part],
             place, WHATS[part]);
}

static void describe_bounds(const char *name, const struct clock_bounds *bounds, struct text *result) {
  if (bounds->trips > 0)
    text_add(result, ",\"%s\":{\"lowNs\":%lld,\"highNs\":%lld,\"trips\":%llu}", name, (long long)bounds->low, (long long)bounds->high,
             (unsigned long long)bounds->trips);
}

void split_conclude(const struct split *split, struct text *result) {
  text_add(result, ",\"clocks\":{\"offsetNs\":%lld", (long long)split->offset_ns);
  describe_bounds("bounds", &split->all, result);
  describe_bounds("firstHalf", &split->halves[0], result);
  describe_bounds("secondHalf", &split->halves[1], result);
  text_add(result, "},\"splitTrips\":%llu,\"incoherent\":%llu,\"beforeSent\":%llu", (unsigned long long)split->taken,
           (unsigned long long)split->incoherent, (unsigned long long)split->before_sent);
}
