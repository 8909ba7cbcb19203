#include "exchange.h"

/* Also where the time is over already: few rounds say less exactly how far the clocks are apart, and that is said with it. */
#define LEAST_ROUNDS 32

void exchange_end(struct exchange *exchange) {
  atomic_store_explicit(&exchange->ping, ++exchange->asked | EXCHANGE_END, memory_order_release);
}

static ALWAYS_INLINE void answer(struct exchange *exchange, bool with_time) {
  uint64_t heard = exchange->heard;
  for (;;) {
    uint64_t ping;
    while ((ping = atomic_load_explicit(&exchange->ping, memory_order_acquire)) == heard) {
    }
    heard = ping;
    if ((ping & EXCHANGE_END) != 0) break;
    if (with_time) exchange->pong_ticks = clock_now();
    atomic_store_explicit(&exchange->pong, ping, memory_order_release);
  }
  exchange->heard = heard;
}

void exchange_answer(struct exchange *exchange) { answer(exchange, false); }
void exchange_answer_with_time(struct exchange *exchange) { answer(exchange, true); }

struct skew exchange_measure_skew(struct exchange *exchange, uint64_t until, const atomic_bool *stop) {
  struct skew skew = {.low = INT64_MIN, .high = INT64_MAX, .round_trip = UINT64_MAX};
  uint64_t after = 0;
  for (int round = 0; round == 0 || ((round < LEAST_ROUNDS || after < until) && !atomic_load_explicit(stop, memory_order_relaxed)); round++) {
    uint64_t before = clock_now();
    exchange_ask(exchange);
    after = clock_now();
    int64_t there = (int64_t)(exchange->pong_ticks - before);
    int64_t back = (int64_t)(after - exchange->pong_ticks);
    if (there < skew.high) skew.high = there;
    if (-back > skew.low) skew.low = -back;
    if (after - before >= skew.round_trip) continue;
    skew.round_trip = after - before;
    skew.offset = (there - back) / 2;
  }
  return skew;
}

static double ns(double ticks) { return ticks * 1e9 / clock_state.hz; }

void skew_describe(const struct skew *skew, struct text *text) {
  text_add(text, "\"offsetNs\":%.2f,\"errorNs\":%.2f,\"lowNs\":%.2f,\"highNs\":%.2f", ns((double)skew->offset),
           ns((double)skew->round_trip / 2), ns((double)skew->low), ns((double)skew->high));
}
