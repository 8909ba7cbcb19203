/* Every message that is under way, and what is known of it. Of one thread. */
#ifndef HFT_TRIPS_H
#define HFT_TRIPS_H

#include <stdbool.h>
#include <stdint.h>

#include "attributes.h"
#include "stamps.h"

struct trip {
  uint64_t number; /* 0: none has been here */
  uint64_t intended; /* ticks */
  uint8_t kind;
  bool is_stamped;
  bool is_answered;
  bool is_split; /* its parts have been taken */
  uint64_t sent_ns;     /* CLOCK_REALTIME here, by this program, of stamped ones */
  uint64_t received_ns;
  struct stamps sent;          /* here */
  struct stamps received;      /* here */
  struct stamps peer_received; /* by the peer's clocks */
  struct stamps peer_sent;
};

/* One that comes back after so many others is counted as lost, and as late when it comes. */
struct trips {
  struct trip *table;
  uint64_t mask;
  uint64_t sent;
  uint64_t answered;
  uint64_t highest;   /* number of the latest that was answered */
  uint64_t reordered; /* answered after one that was sent later */
  uint64_t repeated;
  uint64_t late;
  uint64_t answered_before; /* trips_forget */
};

/* Room for what is sent in two seconds, within bounds. */
void trips_allocate(struct trips *trips, uint64_t rate_hz);

/* What was before this counts no more: the warm-up. */
void trips_forget(struct trips *trips);

static ALWAYS_INLINE struct trip *trips_at(const struct trips *trips, uint64_t number) { return &trips->table[number & trips->mask]; }

static ALWAYS_INLINE struct trip *trips_begin(struct trips *trips, uint64_t number) {
  struct trip *trip = trips_at(trips, number);
  *trip = (struct trip){.number = number};
  trips->sent++;
  return trip;
}

/* NULL: it was answered before, or is too late. */
static ALWAYS_INLINE struct trip *trips_answer(struct trips *trips, uint64_t number) {
  struct trip *trip = trips_at(trips, number);
  if (UNLIKELY(trip->number != number)) {
    trips->late++;
    return NULL;
  }
  if (UNLIKELY(trip->is_answered)) {
    trips->repeated++;
    return NULL;
  }
  trip->is_answered = true;
  trips->answered++;
  if (LIKELY(number > trips->highest)) trips->highest = number;
  else trips->reordered++;
  return trip;
}

/* What was sent with a stamp that has not been noted yet, in the order of sending. */
#define MOST_UNNOTED 1024u
struct unnoted {
  struct {
    uint32_t id;
    uint64_t number;
  } waiting[MOST_UNNOTED];
  uint32_t first;
  uint32_t next;
};

static ALWAYS_INLINE bool unnoted_any(const struct unnoted *unnoted) { return unnoted->first != unnoted->next; }
void unnoted_add(struct unnoted *unnoted, uint32_t id, uint64_t number);
/* The number of the message; 0: of none that is waited for. `is_last`: no other stamp of it will come, nor of those before it. */
uint64_t unnoted_find(struct unnoted *unnoted, uint32_t id, bool is_last);

#endif
