#include "trips.h"

#include <string.h>

#include "placement.h"

#define LEAST_ROOM 1024u
#define MOST_ROOM 16384u

void trips_allocate(struct trips *trips, uint64_t rate_hz) {
  uint64_t room = LEAST_ROOM;
  while (room < 2 * rate_hz && room < MOST_ROOM) room *= 2;
  *trips = (struct trips){.table = allocate_local(room * sizeof(struct trip)), .mask = room - 1};
}

void trips_forget(struct trips *trips) {
  memset(trips->table, 0, (trips->mask + 1) * sizeof *trips->table);
  *trips = (struct trips){.table = trips->table, .mask = trips->mask, .answered_before = trips->answered};
}

void unnoted_add(struct unnoted *unnoted, uint32_t id, uint64_t number) {
  if (unnoted->next - unnoted->first == MOST_UNNOTED) unnoted->first++;
  uint32_t at = unnoted->next++ % MOST_UNNOTED;
  unnoted->waiting[at].id = id;
  unnoted->waiting[at].number = number;
}

uint64_t unnoted_find(struct unnoted *unnoted, uint32_t id, bool is_last) {
  for (uint32_t at = unnoted->first; at != unnoted->next; at++) {
    if (unnoted->waiting[at % MOST_UNNOTED].id != id) continue;
    uint64_t number = unnoted->waiting[at % MOST_UNNOTED].number;
    if (is_last) unnoted->first = at + 1;
    return number;
  }
  return 0;
}
