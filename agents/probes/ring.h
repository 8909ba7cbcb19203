/*
 * A ring of messages from one thread to one other, in memory that processes can share. The number of a message is written
 * last, and by it the message becomes visible. So a message of 64 bytes is one cache line and moves as one.
 */
#ifndef HFT_RING_H
#define HFT_RING_H

#include <stdatomic.h>
#include <stdint.h>

#include "attributes.h"
#include "channel.h"

/* In the shared memory. */
struct ring_lines {
  _Alignas(APART) _Atomic uint64_t received;
  _Alignas(APART) _Atomic uint32_t doorbell;
  _Atomic uint32_t waiting;
  _Alignas(APART) char slots[];
};

/* What each side keeps for itself. */
struct ring_end {
  struct ring_lines *lines;
  uint64_t bytes;
  uint64_t slots; /* a power of two */
  enum wait_kind wait;
  uint64_t number; /* of the last message received */
  uint64_t known_received;
  uint64_t full; /* messages that found no place and waited for one */
};

#define RING_BYTES_OF_SLOTS (512 * 1024)
#define RING_BYTES (sizeof(struct ring_lines) + RING_BYTES_OF_SLOTS)
#define MOST_SLOTS 1024

void ring_open(struct ring_end *end, void *memory, uint64_t message_bytes, enum wait_kind wait);

/* Numbers from 1, none left out. Waits, spinning, while the ring is full. */
void ring_send(struct ring_end *end, const struct letter *letter);

/* Waits for the next message, reads and checks every word, and frees its place. */
void ring_receive(struct ring_end *end, struct letter *letter);

#endif
