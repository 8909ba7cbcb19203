/*
 * A ring of messages from one thread to one other, in memory that processes can share. A message is `bytes` long as a
 * whole: its first word is its number, written last, by which it becomes visible. So a message of 64 bytes is one cache
 * line and moves as one.
 */
#ifndef HFT_RING_H
#define HFT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "attributes.h"

enum wait_kind { WAIT_SPIN, WAIT_BLOCK };

struct message {
  _Atomic uint64_t number; /* from 1 */
  uint64_t intended;       /* ticks of the sender's clock */
  uint64_t kind;
  uint64_t words[];
};

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
  uint64_t number; /* of the last message sent or received */
  uint64_t known_received;
  uint64_t damaged;
};

#define RING_BYTES_OF_SLOTS (512 * 1024)
#define RING_BYTES (sizeof(struct ring_lines) + RING_BYTES_OF_SLOTS)
#define MOST_SLOTS 1024

void ring_open(struct ring_end *end, void *memory, uint64_t message_bytes, enum wait_kind wait);

/* Writes every word of the message. */
void ring_send(struct ring_end *end, uint64_t intended, uint64_t kind);

/* Waits for the next message, reads and checks every word, and frees its place. */
struct received {
  uint64_t intended;
  uint64_t kind;
};
struct received ring_receive(struct ring_end *end);

/* Waits until the other side has read all that was sent. */
void ring_wait_until_read(struct ring_end *end);

#endif
