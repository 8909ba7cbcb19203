/*
 * Two threads hand a number to and fro through two cache lines: the cheapest exchange between two CPUs there is, and
 * what ties their clocks together. One thread asks, the other answers.
 */
#ifndef HFT_EXCHANGE_H
#define HFT_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "frames.h"

/* In the last number of an asker: the answerer returns. Each end has another number, so that two without a question in
 * between are two. The next question must wait until the answerer has returned. */
#define EXCHANGE_END (UINT64_C(1) << 63)

struct exchange {
  _Alignas(APART) _Atomic uint64_t ping;
  uint64_t asked;
  _Alignas(APART) _Atomic uint64_t pong;
  uint64_t pong_ticks; /* the answerer's clock between hearing and answering */
  _Alignas(APART) uint64_t heard;
};

/* The answerer's clock minus the asker's, in ticks: it lies between low and high. */
struct skew {
  int64_t low;
  int64_t high;
  int64_t offset;      /* (there - back) / 2 of the quickest round trip */
  uint64_t round_trip; /* the quickest; the offset is right within half of it */
};

static ALWAYS_INLINE void exchange_ask(struct exchange *exchange) {
  uint64_t number = ++exchange->asked;
  atomic_store_explicit(&exchange->ping, number, memory_order_release);
  while (atomic_load_explicit(&exchange->pong, memory_order_acquire) != number) {
  }
}

void exchange_end(struct exchange *exchange);

/* Until exchange_end. */
void exchange_answer(struct exchange *exchange);
void exchange_answer_with_time(struct exchange *exchange);

/* Asks until then or until `stop`, a thousand times at least. The other side answers with time. */
struct skew exchange_measure_skew(struct exchange *exchange, uint64_t until, const atomic_bool *stop);

/* `"offsetNs":…,"errorNs":…,"lowNs":…,"highNs":…`. */
void skew_describe(const struct skew *skew, struct text *text);

#endif
